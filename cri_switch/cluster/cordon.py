"""Cordon and uncordon, remembering on the node whose cordon it is."""

from __future__ import annotations

from typing import Any

from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.node_patch import annotations_of, patch_node
from cri_switch.model.node_ref import NodeRef

CORDONED_BY = "cri-switch.io/cordoned-by"


def cordon(cluster: Cluster, node: NodeRef, migration_id: str) -> str:
    """Make the node unschedulable; kubectl's line.

    The annotation that says it was us is set by the same patch, and never on a node that was cordoned before: that
    cordon is an administrator's, or another migration's. Raises Moved, ApiError, Unreachable.
    """

    def change(found: Obj) -> dict[str, Any] | None:
        if _cordoned(found):
            return None
        return {"spec": {"unschedulable": True}, "metadata": {"annotations": {CORDONED_BY: migration_id}}}

    done = patch_node(cluster, node, change)
    return f"node/{node.name} {'cordoned' if done else 'already cordoned'}"


def uncordon(cluster: Cluster, node: NodeRef, migration_id: str) -> str:
    """Make the node schedulable again if the cordon is this migration's; kubectl's line, or why it stays.

    Raises Moved, ApiError, Unreachable.
    """
    line = ""

    def change(found: Obj) -> dict[str, Any] | None:
        nonlocal line
        owner = annotations_of(found).get(CORDONED_BY, "")
        if not _cordoned(found) and owner != migration_id:
            line = f"node/{node.name} already uncordoned"
            return None
        if owner != migration_id:
            whose = f"migration {owner}" if owner else "an administrator"
            line = f"node/{node.name} stays cordoned, as {whose} had left it"
            return None
        line = f"node/{node.name} {'uncordoned' if _cordoned(found) else 'already uncordoned'}"
        return {"spec": {"unschedulable": None}, "metadata": {"annotations": {CORDONED_BY: None}}}

    patch_node(cluster, node, change)
    return line


def cordoned_by(node: Obj) -> str:
    """The migration whose cordon this is; empty for an administrator's or none."""
    return annotations_of(node).get(CORDONED_BY, "") if _cordoned(node) else ""


def _cordoned(node: Obj) -> bool:
    return bool((node.get("spec") or {}).get("unschedulable"))
