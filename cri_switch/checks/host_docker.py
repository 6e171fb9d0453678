"""What on the host itself uses Docker and will find it gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cri_switch.checks.pods import some
from cri_switch.checks.state import NodeState
from cri_switch.model.finding import Finding
from cri_switch.model.secrets import masked


def check_host_docker(state: NodeState, say: Callable[..., Finding]) -> Iterator[Finding]:
    """Warnings: units and cron files that call docker, programs that are connected to its socket."""
    if state.host_lines:
        files = sorted({line.partition(": ")[0] for line in state.host_lines})
        yield say(
            "warning",
            "HostUsesDocker",
            f"units or cron files call docker: {some(files)}",
            "let them use crictl or ctr -n k8s.io, or take them away",
            detail=masked("\n".join(state.host_lines)),
        )
    if state.socket_processes:
        names = sorted({each.partition(" ")[0] for each in state.socket_processes})
        yield say(
            "warning",
            "DockerSocketInUse",
            f"programs of the host are connected to Docker's socket: {some(names)}",
            "let them use containerd's socket, or stop them",
            detail=masked(", ".join(state.socket_processes)),
        )
