"""Which machines a lab has, and their fixed names and addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tests.lab.report import LabError

Role = Literal["control-plane", "worker", "server"]
Docker = Literal["docker.io", "docker-engine"]

GATEWAY = "10.77.0.1"
PREFIX = 24
SERVER = "registry"
SERVER_ADDRESS = "10.77.0.2"
REGISTRY_PORT = 5000
PACKAGES_PORT = 8000
API_PORT = 6443
POD_NETWORK = "10.244.0.0/16"
SERVICE_NETWORK = "10.96.0.0/12"
METADATA = "169.254.169.254"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")


@dataclass(frozen=True)
class Spec:
    """One machine as it is wished for. Every lab has the same addresses: each has a network of its own."""

    name: str
    role: Role
    address: str
    docker: Docker | None = None
    containerd_marked_auto: bool = False
    debian: int = 11

    @property
    def is_node(self) -> bool:
        return self.role != "server"


def check_name(name: str) -> str:
    """The name, if it can be one: it becomes part of machine, cgroup and directory names."""
    if not _NAME.fullmatch(name):
        raise LabError(f"bad lab name {name!r}: a letter, then at most 19 of a-z, 0-9 and -")
    return name


def machines(control_planes: int, workers: int, debian: int = 11, other: Mapping[str, int] | None = None) -> list[Spec]:
    """The server first, then the nodes in the order in which they join; `other` are nodes of another Debian.

    The nodes differ as real ones do: workers take turns between docker.io with containerd marked auto
    and a self-contained Docker; control planes have plain docker.io.
    """
    if control_planes not in (1, 3, 5):
        raise LabError(f"{control_planes} control planes asked for; etcd wants an odd number: 1, 3 or 5")
    if not 0 <= workers <= 50:
        raise LabError(f"{workers} workers asked for; 0 to 50 can be had")
    specs = [
        Spec(SERVER, "server", SERVER_ADDRESS),
        *(Spec(f"cp{n}", "control-plane", f"10.77.0.{10 + n}", "docker.io") for n in range(1, control_planes + 1)),
        *(_worker(number) for number in range(1, workers + 1)),
    ]
    releases = dict(other or {})
    if unknown := releases.keys() - {spec.name for spec in specs if spec.is_node}:
        raise LabError(f"no such node: {', '.join(sorted(unknown))}")
    return [replace(spec, debian=releases.get(spec.name, debian)) for spec in specs]


def _worker(number: int) -> Spec:
    plain = number % 2 == 1
    return Spec(
        f"w{number}",
        "worker",
        f"10.77.0.{20 + number}",
        "docker.io" if plain else "docker-engine",
        containerd_marked_auto=plain,
    )


def machine_id(lab: str, machine: str) -> str:
    """What nspawn, the cgroups and a person's `ps` know the machine by: unique over all labs."""
    return f"lab-{lab}-{machine}"
