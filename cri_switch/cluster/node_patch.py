"""A change of a node that was decided on its state as read, and is refused by the server if that changed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.inventory import same_node
from cri_switch.model.errors import ApiError
from cri_switch.model.node_ref import NodeRef

_TRIES = 10


def patch_node(
    cluster: Cluster,
    node: NodeRef,
    change: Callable[[Obj], dict[str, Any] | None],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Merge-patch what `change` makes of the node's JSON; None is "nothing to do". Whether something was done.

    The kubelet writes a node's status every few seconds, so a conflict (409) is met by reading again; so is one with
    our own patch, sent again because its answer was lost.

    Raises:
        Moved: the node is gone or was re-created.
        ApiError: refused, or in conflict ten times in a row.
    """
    for attempt in range(_TRIES):
        found = same_node(cluster, node)
        body = change(found)
        if body is None:
            return False
        body.setdefault("metadata", {})["resourceVersion"] = found["metadata"]["resourceVersion"]
        try:
            cluster.patch("Node", node.name, body, again=True)
        except ApiError as problem:
            if problem.status != 409 or attempt == _TRIES - 1:
                raise
            sleep(0.1 * (attempt + 1))
        else:
            return True
    raise AssertionError("unreachable")


def annotations_of(node: Obj) -> dict[str, str]:
    """The node's annotations, never None."""
    return node["metadata"].get("annotations") or {}
