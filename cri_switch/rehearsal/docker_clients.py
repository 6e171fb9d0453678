"""Who on a node is connected to Docker's socket: the kubelet while Docker is its runtime, and whom a test adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

SOCKET = "/run/docker.sock"
_PEER, _OWN = 6_100_000, 6_000_000


def clients(machine: Machine) -> list[tuple[int, int, int]]:
    """(process, inode of its end, inode of dockerd's end)."""
    if not machine.docker.up:
        return []
    pids = list(machine.docker_clients)
    state = machine.systemd.state("kubelet.service")
    if machine.systemd.active("kubelet.service") and not machine.kubelet.remote and state.main_pid:
        pids.append(state.main_pid)
    return [(pid, _PEER + pid, _OWN + pid) for pid in pids if pid in machine.processes.all]
