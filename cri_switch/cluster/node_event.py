"""Events on a Node, as `kubectl describe node` shows them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Literal

from cri_switch.cluster.client import Cluster
from cri_switch.model.node_ref import NodeRef

NAMESPACE = "default"
"""Where client-go's recorder puts those of objects that have no namespace."""
_LONGEST = 1024


def node_event(
    cluster: Cluster,
    node: NodeRef,
    reason: str,
    message: str,
    *,
    kind: Literal["Normal", "Warning"] = "Normal",
    now: datetime | None = None,
) -> None:
    """Write one. Its object's uid is the node's name, as the kubelet does it: kubectl looks for that.

    Asked once, because a step waits for it. Raises ApiError, Unreachable.
    """
    at = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = message if len(message) <= _LONGEST else message[: _LONGEST - 3] + "..."
    body = {
        "metadata": {"name": f"{node.name}.{secrets.token_hex(8)}", "namespace": NAMESPACE},
        "involvedObject": {"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.name},
        "reason": reason,
        "message": text,
        "type": kind,
        "source": {"component": "cri-switch"},
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
    cluster.impatient().create("Event", body, namespace=NAMESPACE)
