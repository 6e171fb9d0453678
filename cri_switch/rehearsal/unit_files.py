"""Unit files on a node: where they are, whether they are masked and enabled, what they require."""

from __future__ import annotations

import posixpath
import re

from cri_switch.rehearsal.filesystem import FileSystem

ETC, LIB, GENERATED = "/etc/systemd/system", "/lib/systemd/system", "/run/systemd/generator.late"


class UnitFiles:
    """What systemd would read at its next daemon-reload; it is taken to have read it."""

    def __init__(self, fs: FileSystem) -> None:
        self._fs = fs

    def fragment(self, unit: str) -> str:
        """The unit's own file, "" without one; a file in /etc goes before the package's."""
        for folder in (ETC, LIB):
            if self._fs.exists(f"{folder}/{unit}"):
                return f"{folder}/{unit}"
        if self._init_script(unit):
            return f"{GENERATED}/{unit}"
        return ""

    def masked(self, unit: str) -> bool:
        """Whether a link to /dev/null stands in its place."""
        found = self._fs.lookup(f"{ETC}/{unit}", follow=False)
        return found is not None and found.kind == "l" and found.target == "/dev/null"

    def mask(self, unit: str) -> bool:
        """Put the link in place; False where a real file of the administrator's is in the way."""
        found = self._fs.lookup(f"{ETC}/{unit}", follow=False)
        if found is not None and found.kind == "f":
            return False
        self._fs.symlink("/dev/null", f"{ETC}/{unit}")
        return True

    def unmask(self, unit: str) -> bool:
        """Take the link away; whether there was one."""
        if not self.masked(unit):
            return False
        self._fs.remove(f"{ETC}/{unit}")
        return True

    def state(self, unit: str) -> str:
        """UnitFileState: masked, enabled, disabled, static, generated, or "" without a file."""
        if self.masked(unit):
            return "masked"
        path = self.fragment(unit)
        if not path:
            return ""
        if path.startswith(GENERATED):
            return "generated"
        if self.wants(unit):
            return "enabled"
        return "disabled" if "[Install]" in (self._fs.text(path) or "") else "static"

    def wants(self, unit: str) -> list[str]:
        """The links that enable it."""
        folders = [name for name in self._fs.names(ETC) if name.endswith((".wants", ".requires"))]
        return [f"{ETC}/{folder}/{unit}" for folder in folders if unit in self._fs.names(f"{ETC}/{folder}")]

    def enable(self, unit: str) -> list[tuple[str, str]]:
        """Link it where [Install] says; answers the new links and where they lead."""
        path, there = self.fragment(unit), self.wants(unit)
        targets = re.findall(r"^WantedBy=(\S+)", self._fs.text(path) or "", re.M)
        links = [link for link in (f"{ETC}/{target}.wants/{unit}" for target in targets) if link not in there]
        for link in links:
            self._fs.symlink(path, link)
        return [(link, path) for link in links]

    def disable(self, unit: str) -> list[str]:
        """Take its links away; answers them."""
        links = self.wants(unit)
        for link in links:
            self._fs.remove(link)
        return links

    def enabled(self) -> list[str]:
        """Units that a boot starts, sockets first."""
        folders = [name for name in self._fs.names(ETC) if name.endswith(".wants")]
        found = {unit for folder in folders for unit in self._fs.names(f"{ETC}/{folder}")}
        return sorted(found, key=lambda unit: (not unit.endswith(".socket"), unit))

    def files(self, unit: str) -> list[str]:
        """The unit's file and its drop-ins, as `systemctl cat` shows them."""
        own = self.fragment(unit)
        if not own or self.masked(unit):
            return []
        folder = f"{ETC}/{unit}.d"
        return [own, *(posixpath.join(folder, name) for name in self._fs.names(folder) if name.endswith(".conf"))]

    def required(self, unit: str) -> set[str]:
        """Units without which it cannot run."""
        found: set[str] = set()
        for path in self.files(unit):
            for line in re.findall(r"^(?:Requires|BindsTo)=(.*)$", self._fs.text(path) or "", re.M):
                found |= set(line.split())
        return found

    def _init_script(self, unit: str) -> bool:
        name, _, kind = unit.rpartition(".")
        return kind == "service" and self._fs.exists(f"/etc/init.d/{name}")
