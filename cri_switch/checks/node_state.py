"""Whether a node can be switched, by what was read off it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from cri_switch.checks.skew import check_skew
from cri_switch.model.finding import Finding
from cri_switch.render.errors import RenderError
from cri_switch.render.kubelet_flags import FLAGS_FILE, switch_flags

Say = Callable[..., Finding]


@dataclass(frozen=True)
class NodeState:
    """Facts of one node. `flags_text` is None where the file is missing, a version is "" where there is none.

    `os_like` is os-release's ID_LIKE; `foreign_containers` are names of Docker's containers that are not
    Kubernetes'; `containerd_candidate` is what would run: the installed version, else the one apt would install.
    """

    node: str
    os_id: str
    os_version: str = ""
    os_like: tuple[str, ...] = ()
    kubelet_version: str = ""
    flags_file: str = FLAGS_FILE
    flags_text: str | None = None
    docker_active: bool = True
    docker_package: str = ""
    foreign_containers: tuple[str, ...] = ()
    swarm_active: bool = False
    containerd_candidate: str = ""
    crictl_present: bool = True
    metadata_blackholed: bool = False


def check_node_state(state: NodeState, *, allow_foreign_containers: bool = False) -> list[Finding]:
    """All findings of one node; an empty list means that nothing is in the way."""

    def say(level: str, name: str, summary: str, remedy: str = "") -> Finding:
        chosen: Literal["error", "warning"] = "error" if level == "error" else "warning"
        return Finding(chosen, name, f"{state.node}: {summary}", node=state.node, remedy=remedy)

    return [
        *_system(state, say),
        *_flags(state, say),
        *_docker(state, say, allow_foreign_containers),
        *_runtime(state, say),
        *check_skew(state.node, state.kubelet_version, state.containerd_candidate),
    ]


def _system(state: NodeState, say: Say) -> Iterator[Finding]:
    if "debian" not in (state.os_id, *state.os_like):
        yield say(
            "error",
            "UnsupportedDistribution",
            f"{state.os_id or 'an unknown system'} {state.os_version} is not of the Debian family",
            "leave the node out by nodes.exclude",
        )
    if state.metadata_blackholed:
        yield say(
            "warning",
            "MetadataBlackholed",
            "169.254.169.254 does not answer and does not refuse: each start of the kubelet waits about 6 s for it",
            "ip route add unreachable 169.254.169.254",
        )


def _flags(state: NodeState, say: Say) -> Iterator[Finding]:
    if state.flags_text is None:
        yield say(
            "error",
            "FlagsFileMissing",
            f"{state.flags_file} is missing, so the kubelet's flags cannot be changed there",
            "set spec.kubelet.flags_file to the file that sets KUBELET_KUBEADM_ARGS (systemctl cat kubelet shows it)",
        )
        return
    try:
        switch_flags(
            state.flags_text, endpoint="unix:///x", kubelet_version=state.kubelet_version, path=state.flags_file
        )
    except RenderError as error:
        yield say("error", "FlagsFileUnreadable", error.what, error.next_step)


def _docker(state: NodeState, say: Say, allow_foreign_containers: bool) -> Iterator[Finding]:
    if not state.docker_active:
        yield say("warning", "DockerNotActive", "Docker is not running", "systemctl status docker")
    if state.swarm_active:
        yield say(
            "error",
            "SwarmActive",
            "Docker is in swarm mode; its services would end with Docker",
            "move the services away, then: docker swarm leave",
        )
    if state.foreign_containers:
        names = ", ".join(state.foreign_containers)
        yield say(
            "warning" if allow_foreign_containers else "error",
            "ForeignContainers",
            f"containers in Docker that are not Kubernetes' would be stopped and removed: {names}",
            "" if allow_foreign_containers else "move them away, or set spec.allow_foreign_containers",
        )


def _runtime(state: NodeState, say: Say) -> Iterator[Finding]:
    if not state.containerd_candidate:
        yield say(
            "error",
            "ContainerdCandidateMissing",
            "containerd is not installed and no package source has it",
            "apt-get update; apt-cache policy containerd",
        )
    if not state.crictl_present:
        yield say(
            "warning",
            "CrictlMissing",
            "crictl is not installed: the way back to Docker and looking at containers need it",
            "install crictl (package cri-tools) in /usr/local/bin or /usr/bin",
        )
