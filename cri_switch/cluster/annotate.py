"""The CRI socket that kubeadm reads from a node's annotation."""

from __future__ import annotations

from typing import Any

from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.node_patch import annotations_of, patch_node
from cri_switch.model.node_ref import NodeRef

CRI_SOCKET = "kubeadm.alpha.kubernetes.io/cri-socket"


def annotate_cri_socket(cluster: Cluster, node: NodeRef, endpoint: str) -> bool:
    """Set it to `unix:///...`, only after the node's own switch; "" takes it away. Whether it was another before.

    Raises Moved, ApiError, Unreachable.
    """

    def change(found: Obj) -> dict[str, Any] | None:
        if annotations_of(found).get(CRI_SOCKET, "") == endpoint:
            return None
        return {"metadata": {"annotations": {CRI_SOCKET: endpoint or None}}}

    return patch_node(cluster, node, change)


def cri_socket(node: Obj) -> str:
    """What the annotation says now; empty when there is none (not a kubeadm node)."""
    return annotations_of(node).get(CRI_SOCKET, "")
