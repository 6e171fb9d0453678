"""Whether a node can be switched, by what was read off it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from cri_switch.checks.files import check_files
from cri_switch.checks.host_docker import check_host_docker
from cri_switch.checks.kubelet import check_kubelet
from cri_switch.checks.machine import check_machine
from cri_switch.checks.not_carried import check_not_carried, check_pulls_not_carried
from cri_switch.checks.packages import check_packages
from cri_switch.checks.room import check_room
from cri_switch.checks.skew import check_skew
from cri_switch.checks.state import NodeState
from cri_switch.model.finding import Finding
from cri_switch.render.docker_daemon import parse_daemon_json
from cri_switch.render.errors import RenderError

Say = Callable[..., Finding]


def check_node_state(state: NodeState, *, allow_foreign_containers: bool = False) -> list[Finding]:
    """All findings of one node; an empty list means that nothing is in the way."""

    def say(level: str, name: str, summary: str, remedy: str = "", detail: str = "") -> Finding:
        chosen: Literal["error", "warning"] = "error" if level == "error" else "warning"
        return Finding(chosen, name, f"{state.node}: {summary}", node=state.node, remedy=remedy, detail=detail)

    return [
        *check_machine(state, say),
        *check_kubelet(state, say),
        *_docker(state, say, allow_foreign_containers),
        *check_files(state, say),
        *check_packages(state, say),
        *check_room(state, say),
        *check_host_docker(state, say),
        *check_skew(state.node, state.kubelet_version, state.containerd_candidate),
    ]


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
    if state.live_restore:
        yield say(
            "warning",
            "LiveRestore",
            "live-restore is on: containers outlive dockerd, so each is stopped by itself",
            "nothing to do",
        )
    if state.etcd_containers:
        yield say(
            "error",
            "EtcdInDocker",
            f"etcd runs in Docker outside of Kubernetes and would end with Docker: {', '.join(state.etcd_containers)}",
            "move etcd out of Docker (a systemd unit, or kubeadm's static pod) before anything else",
        )
    foreign = [name for name in state.foreign_containers if name not in state.etcd_containers]
    if foreign:
        yield say(
            "warning" if allow_foreign_containers else "error",
            "ForeignContainers",
            f"containers in Docker that are not Kubernetes' would be stopped and removed: {', '.join(foreign)}",
            "" if allow_foreign_containers else "move them away, or set spec.allow_foreign_containers",
        )
    for finding in check_pulls_not_carried(state.proxy_not_carried, state.registry_certs, state.node):
        yield say(finding.level, finding.name, finding.summary, finding.remedy)
    try:
        for finding in check_not_carried(parse_daemon_json(state.daemon_json), state.node, state.docker_root):
            yield say(finding.level, finding.name, finding.summary, finding.remedy)
    except RenderError as error:
        yield say("error", "FileNotUnderstood", error.what, "docker itself would not start with it: correct it")
