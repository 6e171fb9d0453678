"""The taint of nodes that wait for their turn: evicted pods should not land on the next victim."""

from __future__ import annotations

from typing import Any

from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.node_patch import patch_node
from cri_switch.model.node_ref import NodeRef

WAITING = "cri-switch.io/waiting"
_EFFECT = "PreferNoSchedule"


def add_waiting_taint(cluster: Cluster, node: NodeRef, migration_id: str) -> str:
    """Add `cri-switch.io/waiting=<migration id>:PreferNoSchedule`. Raises Moved, ApiError, Unreachable."""
    wanted = {"key": WAITING, "value": migration_id, "effect": _EFFECT}
    done = _change(cluster, node, lambda others, ours: None if ours == [wanted] else [*others, wanted])
    return f"node/{node.name} {'tainted' if done else 'already tainted'}"


def remove_waiting_taint(cluster: Cluster, node: NodeRef, migration_id: str) -> str:
    """Take this migration's away; all other taints stay. Raises Moved, ApiError, Unreachable."""
    done = _change(
        cluster,
        node,
        lambda others, ours: others if any(t.get("value") == migration_id for t in ours) else None,
    )
    return f"node/{node.name} {'untainted' if done else 'not tainted'}"


def _change(cluster: Cluster, node: NodeRef, wish: Any) -> bool:
    def change(found: Obj) -> dict[str, Any] | None:
        taints = (found.get("spec") or {}).get("taints") or []
        ours = [t for t in taints if t.get("key") == WAITING]
        wanted = wish([t for t in taints if t.get("key") != WAITING], ours)
        # A merge patch replaces the whole list; the resource version in it guards the others' taints.
        return None if wanted is None else {"spec": {"taints": wanted or None}}

    return patch_node(cluster, node, change)
