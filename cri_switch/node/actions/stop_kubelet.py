"""Stop the kubelet."""

from __future__ import annotations

from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Until, read
from cri_switch.node.command import sudo
from cri_switch.node.facts.units import units

KUBELET = "kubelet.service"


def stop_kubelet(migration: Migration) -> Action:  # noqa: ARG001 (steps have one signature)
    """The article's `systemctl stop kubelet`, and its look at the status afterwards.

    The unit stays enabled: a node that reboots between the steps starts it on what the flags file says at that moment,
    so the attempt is raised by the boot id, and the steps read facts instead of trusting that it is stopped.
    """
    found = yield from read(units(KUBELET))
    if not found[KUBELET].active:
        return "kubelet was stopped already"
    yield Do(sudo("systemctl", "stop", KUBELET, timeout=120), "stop the kubelet")
    yield Until(
        units(KUBELET),
        lambda now: not now[KUBELET].active,
        "kubelet stopped",
        seconds=30,
        next_step="on the node: systemctl status kubelet",
    )
    return "kubelet stopped"
