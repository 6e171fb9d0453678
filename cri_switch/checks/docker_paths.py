"""Which of Docker's things a path on the node reaches."""

from __future__ import annotations

import posixpath
from typing import Literal

Reach = Literal[
    "DockerSocketMounted", "DockerDataMounted", "DockerBinaryMounted", "DockerConfigMounted", "DockerLogsMounted"
]

RANK: tuple[Reach, ...] = (
    "DockerSocketMounted",
    "DockerBinaryMounted",
    "DockerDataMounted",
    "DockerConfigMounted",
    "DockerLogsMounted",
)
"""The gravest first: a workload that reaches several is told once, under the first."""

WHAT: dict[Reach, str] = {
    "DockerSocketMounted": "where Docker's socket is",
    "DockerBinaryMounted": "Docker's program, which goes with Docker",
    "DockerDataMounted": "Docker's data, which is not filled any more",
    "DockerConfigMounted": "Docker's settings, which nobody reads any more",
    "DockerLogsMounted": "where logs no longer are",
}

_SOCKETS = frozenset({"/run/docker.sock", "/run/dockershim.sock", "/run/cri-dockerd.sock"})
_PARENTS = frozenset({"/run", "/var", "/"})
"""Directories that hold the sockets, with /var/run being /run; /var holds the link."""
_BINARIES = frozenset(
    f"{directory}/{name}"
    for directory in ("/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin", "/usr/local/sbin")
    for name in ("docker", "dockerd", "docker-compose")
)


NAMES = ("docker.sock", "dockershim.sock")
"""What kubectl-detector-for-docker-socket looks for, anywhere in a path."""


def names_socket(path: str) -> bool:
    """Whether a hostPath has the socket's name in it, without being where Docker listens by default."""
    return any(name in path for name in NAMES)


def docker_reach(path: str) -> Reach | None:
    """What a hostPath with its subPath reaches, None for nothing of Docker's; a word in its name is nothing."""
    path = "/" + posixpath.normpath(path).lstrip("/")
    if path == "/var/run" or path.startswith("/var/run/"):
        path = path.removeprefix("/var")
    if path in _SOCKETS or path in _PARENTS:
        return "DockerSocketMounted"
    if path in _BINARIES:
        return "DockerBinaryMounted"
    if path == "/etc/docker" or path.startswith("/etc/docker/"):
        return "DockerConfigMounted"
    if path == "/var/lib/docker/containers" or path.startswith("/var/lib/docker/containers/"):
        return "DockerLogsMounted"
    if path == "/var/lib/docker" or path.startswith("/var/lib/docker/"):
        return "DockerDataMounted"
    return None
