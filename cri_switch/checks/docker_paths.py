"""Which of Docker's things a path on the node reaches."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
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


DATA_ROOT = "/var/lib/docker"


def docker_reach(path: str, roots: Iterable[str] = ()) -> Reach | None:
    """What a hostPath with its subPath reaches, None for nothing of Docker's; a word in its name is nothing.

    `roots` are the nodes' data roots, where Docker's data are not in /var/lib/docker.
    """
    path = "/" + posixpath.normpath(path).lstrip("/")
    for root in map(posixpath.normpath, roots):
        if path == root or path.startswith(f"{root}/"):
            path = DATA_ROOT + path.removeprefix(root)
    if path == "/var/run" or path.startswith("/var/run/"):
        path = path.removeprefix("/var")
    if path in _SOCKETS or path in _PARENTS:
        return "DockerSocketMounted"
    if path in _BINARIES:
        return "DockerBinaryMounted"
    if path == "/etc/docker" or path.startswith("/etc/docker/"):
        return "DockerConfigMounted"
    if path == f"{DATA_ROOT}/containers" or path.startswith(f"{DATA_ROOT}/containers/"):
        return "DockerLogsMounted"
    if path == DATA_ROOT or path.startswith(f"{DATA_ROOT}/"):
        return "DockerDataMounted"
    return None
