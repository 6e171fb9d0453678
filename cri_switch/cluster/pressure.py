"""A node short of disk, memory or process ids: its kubelet evicts pods, DaemonSets' too."""

from __future__ import annotations

import time
from collections.abc import Callable

from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.inventory import same_node
from cri_switch.cluster.wait import Pace, until
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
