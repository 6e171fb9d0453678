"""What dockerd pulls images with that lies beside daemon.json: a proxy, and certificates of registries."""

from __future__ import annotations

import re

from cri_switch.node.command import Result, plain, sudo
from cri_switch.node.connection import Connection
from cri_switch.node.fact import Fact
from cri_switch.node.facts.texts import texts

CERTS = "/etc/docker/certs.d"
_FILES = {"docker": "/etc/default/docker", "containerd": "/etc/default/containerd"}
_SET = re.compile(r"\b((?:https?|no|all)_proxy)=", re.I)

REGISTRY_CERTS: Fact[tuple[str, ...]] = Fact(
    "registries with certificates of their own",
    sudo("ls", "-1", CERTS, ok=(0, 1, 2)),
    lambda result: tuple(result.stdout.split()) if result.rc == 0 else (),
)
"""`host` or `host:port`, as the directories below /etc/docker/certs.d are called."""


def proxy_not_carried(connection: Connection) -> tuple[str, ...]:
    """The proxy variables, in upper case, that docker.service has and containerd.service has not; never a value."""
    files = texts(*_FILES.values()).read(connection)
    docker, containerd = (
        proxy_variables(_unit(f"{name}.service").read(connection) + files.get(file, ""))
        for name, file in _FILES.items()
    )
    return tuple(sorted(docker - containerd))


def proxy_variables(text: str) -> frozenset[str]:
    """The names of proxy variables that a unit, its drop-ins or its environment file set."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", ";"))]
    return frozenset(name.upper() for line in lines for name in _SET.findall(line))


def _unit(name: str) -> Fact[str]:
    def found(result: Result) -> str:
        return result.stdout

    return Fact(f"{name} and its drop-ins", plain("systemctl", "cat", name, ok=(0, 1)), found)
