"""Whether dockerd has a containerd of its own."""

from __future__ import annotations

from cri_switch.node.command import Result, plain
from cri_switch.node.fact import Fact

_MADE_BY_DOCKERD = ("/containerd/containerd.toml", "/libcontainerd/")
"""The configuration that dockerd writes for it (18.09 and later), the sockets it gave it before (1.11 to 18.06)."""


def _any(result: Result) -> bool:
    processes = (line.split()[1:] for line in result.stdout.splitlines())
    return any(
        argv and argv[0].rpartition("/")[2] in ("containerd", "docker-containerd") and _is_dockers(argv)
        for argv in processes
    )


def _is_dockers(argv: list[str]) -> bool:
    return argv[0].endswith("docker-containerd") or any(mark in word for word in argv for mark in _MADE_BY_DOCKERD)


OWN_CONTAINERD: Fact[bool] = Fact("a containerd of dockerd's own", plain("pgrep", "-a", "containe", ok=(0, 1)), _any)
"""pgrep knows the first 15 characters of a name: `docker-containe`.

A dockerd without --containerd starts one, unless a socket lies at /run/containerd/containerd.sock at that moment: then
it uses that one (moby, cmd/dockerd/daemon.go: systemContainerdRunning).
"""
