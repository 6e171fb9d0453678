"""Whether the inventory and the cluster's API speak of the same nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from cri_switch.checks.pods import some
from cri_switch.model.finding import Finding
from cri_switch.model.node_ref import NodeRef


class Listed(Protocol):
    """A host of the inventory."""

    @property
    def role(self) -> str | None: ...
    @property
    def ips(self) -> tuple[str, ...]: ...


def check_inventory(listed: Mapping[str, Listed], nodes: Sequence[NodeRef]) -> list[Finding]:
    """A warning for nodes that only one of the two has, for another role, and for another address.

    Nothing of it stops a migration: the API decides what is migrated, and that the machine which answers is the node
    is checked by its machine id (WrongMachine).
    """
    here, there = set(listed), {node.name for node in nodes}
    lines = []
    if missing := sorted(there - here):
        lines.append((missing, f"the inventory does not have {some(missing)}: ssh_config and the API say the way"))
    if gone := sorted(here - there):
        lines.append((gone, f"the cluster does not have {some(gone)} of the inventory"))
    for node in nodes:
        host = listed.get(node.name)
        if host is None:
            continue
        if host.role is not None and host.role != node.role:
            lines.append(([node.name], f"{node.name} is {host.role} by the inventory and {node.role} by the API"))
        if host.ips and node.address and node.address not in host.ips:
            ips = ", ".join(host.ips)
            lines.append(([node.name], f"{node.name} has {ips} by the inventory and {node.address} by the API"))
    return [
        Finding(
            "warning",
            "InventoryMismatch",
            line,
            node=names[0] if len(names) == 1 else "",
            detail=", ".join(names),
            remedy="bring the inventory up to date, or set spec.ssh.inventory to the right one",
        )
        for names, line in lines
    ]


def check_machine_id(node: NodeRef, machine_id: str) -> list[Finding]:
    """An error where the machine that answers by ssh is not the one whose kubelet reports as this node."""
    if not node.machine_id or not machine_id or node.machine_id == machine_id:
        return []
    return [
        Finding(
            "error",
            "WrongMachine",
            f"{node.name}: the machine that answers by ssh is not the node: its machine id is {machine_id},"
            f" and the node's kubelet reports {node.machine_id}",
            node=node.name,
            remedy=f"see where ssh goes (ssh -G {node.name}; spec.ssh.inventory); if the machine id was made anew,"
            " restart the kubelet",
        )
    ]
