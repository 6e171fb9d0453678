"""The cluster's nodes, and how they changed since."""

from __future__ import annotations

from collections.abc import Sequence

from cri_switch.cluster.client import Cluster, Obj
from cri_switch.model.errors import ApiError, Moved, SettingsError
from cri_switch.model.node_ref import NodeRef

_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


def inventory(cluster: Cluster) -> list[NodeRef]:
    """Every node, sorted by name. Raises ApiError, Unreachable."""
    nodes = [node_ref(node) for node in cluster.list("Node")]
    if not nodes:
        raise ApiError("the API lists no nodes: this is not the cluster that was meant, or it is just starting")
    return sorted(nodes, key=lambda node: node.name)


def node_ref(node: Obj) -> NodeRef:
    """A node from its JSON; it is a control-plane node by kubeadm's label, old or new."""
    metadata, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    info = status.get("nodeInfo") or {}
    addresses = {a["type"]: a["address"] for a in reversed(status.get("addresses") or [])}
    cidrs = spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else [])
    labels = metadata.get("labels") or {}
    return NodeRef(
        name=metadata["name"],
        uid=metadata["uid"],
        address=addresses.get("InternalIP", ""),
        role="control-plane" if any(label in labels for label in _CONTROL_PLANE) else "worker",
        kubelet_version=info.get("kubeletVersion", ""),
        runtime=info.get("containerRuntimeVersion", ""),
        unschedulable=bool(spec.get("unschedulable")),
        pod_cidrs=tuple(cidrs),
        machine_id=info.get("machineID", ""),
    )


def selected(cluster: Cluster, selector: str) -> frozenset[str]:
    """The names of the nodes that have these labels; the server reads the selector, as it does for kubectl.

    Raises:
        SettingsError: it is no selector.
        ApiError, Unreachable
    """
    try:
        return frozenset(str(node["metadata"]["name"]) for node in cluster.list("Node", labels=selector))
    except ApiError as problem:
        if problem.status != 400:
            raise
        raise SettingsError(
            f"nodes.selector: {selector!r} is no label selector: {problem.what}",
            state="nothing was touched",
            next_step="see it work first: kubectl get nodes -l SELECTOR",
        ) from problem


def same_node(cluster: Cluster, node: NodeRef) -> Obj:
    """The node's JSON now.

    Raises:
        Moved: it is gone, or another machine has its name.
    """
    found = cluster.get("Node", node.name)
    if found is None:
        raise Moved(f"{node.name}: the cluster has no such node any more", next_step="kubectl get nodes")
    uid = found["metadata"]["uid"]
    if uid != node.uid:
        raise Moved(
            f"{node.name}: the node was re-created since the plan (UID {uid}, planned {node.uid})",
            state="nothing was changed on it",
            next_step="run the plan again",
        )
    return found


def moved(before: Sequence[NodeRef], now: Sequence[NodeRef]) -> list[str]:
    """One line for each node that joined, left or was re-created."""
    old, new = {n.name: n.uid for n in before}, {n.name: n.uid for n in now}
    lines = {name: f"node {name} joined since the plan" for name in new.keys() - old.keys()}
    lines |= {name: f"node {name} left since the plan" for name in old.keys() - new.keys()}
    lines |= {
        name: f"node {name} was re-created since the plan (UID {new[name]}, planned {old[name]})"
        for name in old.keys() & new.keys()
        if old[name] != new[name]
    }
    return [lines[name] for name in sorted(lines)]
