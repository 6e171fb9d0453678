"""Who uses Docker on a node, and how much of its store."""

from __future__ import annotations

from collections.abc import Sequence

from cri_switch.node.connection import Connection
from cri_switch.node.facts.docker import Container
from cri_switch.node.facts.host_docker import SOCKET_CLIENTS, processes, processes_of
from cri_switch.node.facts.images import docker_images

_OUR_OWN = frozenset({"dockerd", "kubelet", "docker", "containerd", "systemd"})


def image_bytes(containers: Sequence[Container], connection: Connection) -> int:
    """The size of the images that these containers use."""
    used = {each.image_id for each in containers}
    if not used:
        return 0
    return sum(image.size for image in docker_images(tuple(sorted(used))).read(connection))


def socket_processes(connection: Connection) -> tuple[str, ...]:
    """Who of the host is connected to the socket of a Docker that runs, beside what belongs to it."""
    inodes = SOCKET_CLIENTS.read(connection)
    pids = processes_of(inodes).read(connection) if inodes else ()
    found = processes(pids).read(connection) if pids else ()
    return tuple(f"{each.name} (pid {each.pid})" for each in found if not each.pod and each.name not in _OUR_OWN)
