"""The story of a node for `kubectl describe node`."""

from __future__ import annotations

from prefect import get_run_logger

from cri_switch.cluster.node_event import node_event
from cri_switch.model.errors import CriSwitchError
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from tasks import reach

BEGINS = {"drain": "DrainStarted", "remove_docker": "DockerRemovalStarted"}
ENDS = {
    "drain": "Drained",
    "verify_node": "RuntimeSwitched",
    "settle": "NodeSettled",
    "remove_docker": "DockerRemoved",
}
"""The reasons of events by step; where the node's API may be away there is none."""


def tell(node: NodeRef, migration: Migration, reason: str, message: str, *, warning: bool = False) -> None:
    """An event, where that can be: one that cannot be written is logged and fails nothing. A dry run tells none."""
    if migration.spec.dry_run or not reason:
        return
    try:
        node_event(reach.cluster(migration), node, reason, message, kind="Warning" if warning else "Normal")
    except CriSwitchError as problem:
        get_run_logger().warning("node=%s event %s could not be written: %s", node.name, reason, problem.what)
