"""dpkg's and apt's view of a node: installed, held, marked, offered."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Package:
    """One package that dpkg knows: `status` as dpkg's two letters ("ii", "rc")."""

    name: str
    version: str
    status: str = "ii"
    manual: bool = False
    hold: bool = False

    @property
    def installed(self) -> bool:
        """Whether its files are there."""
        return self.status[1] == "i"

    @property
    def letters(self) -> str:
        """db:Status-Abbrev."""
        return f"{'h' if self.hold and self.installed else self.status[0]}{self.status[1]} "


@dataclass
class Packages:
    """What is known; `offered` are versions in the sources, by name; `depends` as Debian's packages have it."""

    known: dict[str, Package] = field(default_factory=dict)
    offered: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    """Packages whose installation fails (a fault)."""

    def installed(self, name: str) -> bool:
        """Whether a package is."""
        return name in self.known and self.known[name].installed

    def upstream(self, name: str) -> str:
        """The program's own version, of that of its package as it is known or offered."""
        version = self.known[name].version if name in self.known else self.offered.get(name, "0.0.0")
        return version.partition("~")[0].partition("+")[0].partition("-")[0]

    def depends(self, name: str) -> tuple[str, ...]:
        """What it cannot be without."""
        return {"docker.io": ("containerd", "runc", "tini"), "containerd": ("runc",)}.get(name, ())

    def to_install(self, names: list[str]) -> list[str]:
        """Names and what they depend on that is not there, what is depended on first."""
        wanted: list[str] = []
        for name in names:
            for one in [*self.to_install(list(self.depends(name))), name]:
                if not self.installed(one) and one not in wanted:
                    wanted.append(one)
        return wanted

    def to_remove(self, names: list[str]) -> list[str]:
        """Names that are there, and what cannot be without them."""
        going = [name for name in names if self.installed(name)]
        for name in list(self.known):
            if self.installed(name) and name not in going and set(self.depends(name)) & set(going):
                going.append(name)
        return going
