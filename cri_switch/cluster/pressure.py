"""A node short of disk, memory or process ids: its kubelet evicts pods, DaemonSets' too."""

from __future__ import annotations

import time
from collections.abc import Callable

from cri_switch.cluster import pods
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.inventory import same_node
from cri_switch.cluster.wait import Pace, until
from cri_switch.model.errors import ApiError
from cri_switch.model.node_ref import NodeRef

_TYPES = ("DiskPressure", "MemoryPressure", "PIDPressure")


def pressures(node: Obj) -> list[str]:
    """The conditions of a node's JSON for which its kubelet evicts pods (pkg/kubelet/eviction)."""
    conditions = (node.get("status") or {}).get("conditions") or []
    return [each["type"] for each in conditions if each["type"] in _TYPES and each["status"] == "True"]


def wait_no_pressure(
    cluster: Cluster,
    node: NodeRef,
    *,
    seconds: float,
    next_step: str,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Wait until the kubelet takes its conditions back; it keeps each for some minutes after its cause is gone.

    Raises RemoteTimeout that names them, Moved, Stopped.
    """
    polled = cluster.impatient()

    def look() -> str:
        return ", ".join(pressures(same_node(polled, node)))

    until(look, f"{node.name}: free of pressure", seconds, Pace(stop, sleep, clock), next_step=next_step)


def clear_evicted(cluster: Cluster, node: NodeRef) -> list[str]:
    """Let go of DaemonSets' pods that the kubelet had evicted; their names, `namespace/name`.

    Their controller makes no new one while such a record is there and its back-off runs: up to 15 minutes after a time
    of pressure (failedPodsBackoff, pkg/controller/daemon). No budget keeps a finished pod.
    """
    gone = []
    for pod in cluster.list("Pod", fields=f"spec.nodeName={node.name}"):
        owner, reason = pods.controller(pod), pod["status"].get("reason")
        if owner and owner["kind"] == "DaemonSet" and pods.is_finished(pod) and reason == "Evicted":
            try:
                cluster.evict(pod["metadata"]["namespace"], pod["metadata"]["name"])
            except ApiError as problem:
                if problem.status != 404:  # it is gone already
                    raise
            gone.append(pods.title(pod))
    return gone
