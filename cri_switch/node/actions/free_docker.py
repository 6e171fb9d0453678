"""Take Docker off the containerd that goes away with the way back."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Part, Until, read
from cri_switch.node.actions.retire_docker import SERVICE, SOCKET
from cri_switch.node.actions.stop_docker import stop_docker
from cri_switch.node.actions.stop_kubelet import KUBELET
from cri_switch.node.before import Before
from cri_switch.node.command import sudo
from cri_switch.node.facts.containerd import UNIT
from cri_switch.node.facts.kubelet import command_line
from cri_switch.node.facts.leftovers import K8S_SHIMS
from cri_switch.node.facts.own_containerd import OWN_CONTAINERD
from cri_switch.node.facts.units import units


def free_docker(migration: Migration, before: Before, *, migration_id: str) -> Generator[Part, Any, list[str]]:
    """Stop a self-contained dockerd that took the containerd that we installed for its own; its pods get their grace.

    It does so where it starts while that one runs: a reboot, an upgrade. Seen: containerd purged, dockerd and the node
    looked healthy, and no pod could be started any more.
    """
    if not (yield from _is_borrowed(before)):
        return []
    if not (yield from read(units(KUBELET)))[KUBELET].stopped:
        yield Do(sudo("systemctl", "stop", KUBELET, timeout=120), "stop the kubelet: dockerd must start anew")
    yield from stop_docker(migration, migration_id=migration_id)
    for unit in (SOCKET, SERVICE):
        yield Do(sudo("systemctl", "stop", unit, timeout=120), f"stop {unit}: it runs on the containerd that goes away")
    yield Until(units(SERVICE), lambda now: not now[SERVICE].active, "dockerd stopped", 30)
    return ["dockerd taken off the containerd that was installed"]


def pods_to_stop(before: Before) -> Action:
    """Which pods the way back must stop, "" for none: what Docker runs on a containerd of its own stays."""
    if (yield from read(K8S_SHIMS)):
        return "containerd's"
    return "Docker's" if (yield from _is_borrowed(before)) else ""


def _is_borrowed(before: Before) -> Generator[Part, Any, bool]:
    """Whether dockerd runs on the containerd that was not there before."""
    if not before.known or before.unit(UNIT).active:
        return False
    docker = (yield from read(units(SERVICE)))[SERVICE]
    if not docker.active or (yield from read(OWN_CONTAINERD)):
        return False
    argv = yield from read(command_line(docker.main_pid))
    return not any(word.startswith("--containerd") for word in argv)
