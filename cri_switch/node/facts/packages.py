"""Debian packages: installed, held, marked manual, and still to be had."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cri_switch.node.command import Result, plain
from cri_switch.node.fact import Fact

DOCKER = (
    "docker.io",
    "docker-engine",
    "docker-ce",
    "docker-ce-cli",
    "docker-ce-rootless-extras",
    "docker-buildx-plugin",
    "docker-compose-plugin",
    "docker-scan-plugin",
    "docker-cli",
)
"""Docker's own packages; containerd and runc are not among them."""
KNOWN = (*DOCKER, "containerd", "containerd.io", "runc", "tini", "cri-tools", "kubelet")


@dataclass(frozen=True)
class Package:
    """A package that dpkg knows: `status` is dpkg's two letters ("ii" installed, "rc" removed, "hi" held)."""

    name: str
    status: str
    version: str

    @property
    def installed(self) -> bool:
        """Whether its files are there and configured."""
        return self.status[1:2] == "i"

    @property
    def held(self) -> bool:
        """Whether the administrator holds it."""
        return self.status[:1] == "h"

    @property
    def pending(self) -> bool:
        """Whether dpkg was interrupted at it: unpacked, half installed or half configured, or to be reinstalled."""
        return self.status[1:2] in ("U", "F", "H", "W", "t") or self.status[2:3] == "R"


def parse_dpkg(text: str) -> dict[str, Package]:
    """Lines "name TAB status TAB version" by name."""
    found = {}
    for line in text.splitlines():
        name, status, version = ([*line.split("\t"), "", ""])[:3]
        if name:
            found[name] = Package(name, status.strip(), version)
    return found


def packages(*names: str) -> Fact[dict[str, Package]]:
    """Those of `names` (by default all that matter here) that dpkg knows; 1 means that it does not know some."""
    command = plain(
        "dpkg-query", "-W", "-f", "${Package}\\t${db:Status-Abbrev}\\t${Version}\\n", *(names or KNOWN), ok=(0, 1)
    )
    return Fact("packages", command, lambda result: parse_dpkg(result.stdout))


ALL_PACKAGES: Fact[dict[str, Package]] = Fact(
    "all packages",
    plain("dpkg-query", "-W", "-f", "${Package}\\t${db:Status-Abbrev}\\t${Version}\\n"),
    lambda result: parse_dpkg(result.stdout),
)


def _names(result: Result) -> frozenset[str]:
    return frozenset(word.partition(":")[0] for word in result.stdout.split())


MANUAL: Fact[frozenset[str]] = Fact("apt-mark showmanual", plain("apt-mark", "showmanual"), _names)
"""Packages that autoremove never takes."""
HELD: Fact[frozenset[str]] = Fact("apt-mark showhold", plain("apt-mark", "showhold"), _names)


@dataclass(frozen=True)
class Policy:
    """apt's view of one package: `offered` are the versions that a source (not only dpkg's status) still has.

    `sources` has the first source of each of them, `http://host/debian bullseye/main`.
    """

    installed: str
    candidate: str
    offered: frozenset[str]
    sources: tuple[tuple[str, str], ...] = ()

    def source(self, version: str) -> str:
        """Where a version comes from; "" for one that no source has."""
        return dict(self.sources).get(version, "")


def parse_policy(text: str) -> Policy:
    """`apt-cache policy PACKAGE`: the version table's source lines start with a priority and name a source."""
    installed = re.search(r"^  Installed: (.+)$", text, re.M)
    candidate = re.search(r"^  Candidate: (.+)$", text, re.M)
    offered, version, sources = set(), "", dict[str, str]()
    for line in text.partition("  Version table:\n")[2].splitlines():
        if heading := re.match(r"^ (?:\*\*\*|   ) (\S+) ", line + " "):
            version = heading[1]
        elif (source := re.match(r"^ {8,}\s*-?\d+ ((\S+)(?: \S+)?)", line)) and source[2] != "/var/lib/dpkg/status":
            offered.add(version)
            sources.setdefault(version, source[1])
    return Policy(_some(installed), _some(candidate), frozenset(offered), tuple(sources.items()))


def _some(found: re.Match[str] | None) -> str:
    return "" if found is None or found[1] == "(none)" else found[1]


def policy(package: str) -> Fact[Policy]:
    """What apt's sources offer of a package, by the lists fetched last."""
    return Fact(f"apt-cache policy {package}", plain("apt-cache", "policy", package), lambda r: parse_policy(r.stdout))
