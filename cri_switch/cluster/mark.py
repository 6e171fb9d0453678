"""What the cluster itself remembers of a migration: two annotations on a node."""

from __future__ import annotations

from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.node_patch import annotations_of, patch_node
from cri_switch.model.node_ref import NodeRef

MIGRATING = "cri-switch.io/migrating"
MIGRATED = "cri-switch.io/migrated"


def mark(cluster: Cluster, node: NodeRef, migration_id: str) -> None:
    """Say that this migration has begun with the node: a run that is killed leaves it half done."""
    _annotate(cluster, node, {MIGRATING: migration_id})


def mark_migrated(cluster: Cluster, node: NodeRef, migration_id: str) -> None:
    """Say that the node is switched and serves; Docker's packages are left to remove."""
    _annotate(cluster, node, {MIGRATING: None, MIGRATED: migration_id})


def unmark(cluster: Cluster, node: NodeRef) -> None:
    """Nothing is left to do on the node."""
    _annotate(cluster, node, {MIGRATING: None, MIGRATED: None})


def marked(node: Obj, migration_id: str) -> tuple[bool, bool]:
    """(half done, switched but with Docker's packages) by this migration, from a node's JSON."""
    found = annotations_of(node)
    return found.get(MIGRATING) == migration_id, found.get(MIGRATED) == migration_id


def uncordoned_on(node: Obj, migration_id: str, runtime: str) -> bool:
    """Whether this migration, half done, has the node on the runtime and serving again, from the node's JSON."""
    half_done, _ = marked(node, migration_id)
    version: str = node["status"]["nodeInfo"]["containerRuntimeVersion"]
    return half_done and version.startswith(f"{runtime}://") and not (node.get("spec") or {}).get("unschedulable")


def _annotate(cluster: Cluster, node: NodeRef, wanted: dict[str, str | None]) -> None:
    def change(found: Obj) -> Obj | None:
        have = annotations_of(found)
        if all(have.get(key) == value for key, value in wanted.items()):
            return None
        return {"metadata": {"annotations": wanted}}

    patch_node(cluster, node, change)
