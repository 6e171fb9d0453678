"""A way back on a node that is short of something: pods that its kubelet evicts do not run, however long one waits."""

from __future__ import annotations

from collections.abc import Iterable

from prefect import get_run_logger

from cri_switch.cluster.inventory import same_node
from cri_switch.cluster.pressure import clear_evicted, pressures, wait_no_pressure
from cri_switch.model.errors import NotProven, RemoteTimeout
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.facts.room import Room, room
from tasks import reach, stop

_PATHS = ("/var/lib/kubelet", "/var/lib/docker")
_NODEFS = 0.10
"""The kubelet's hard threshold nodefs.available, where its configuration has no other (eviction/defaults_linux.go)."""
_TRANSITION = 300
"""evictionPressureTransitionPeriod of the kubelet (config/v1beta1/defaults.go): so long it keeps a condition."""
_SLACK = 60


def outlast_pressure(node: NodeRef, migration: Migration, late: RemoteTimeout) -> None:
    """Wait until the kubelet evicts no more, where there is room again; raises `late` where no pressure is the reason.

    Raises:
        NotProven: the disk is full still; says how full, and what to do.
        RemoteTimeout: the kubelet's condition stays.
    """
    api = reach.cluster(migration)
    found = ", ".join(pressures(same_node(api, node)))
    if not found:
        raise late
    next_step = f"make room on {node.name}: df -h {' '.join(_PATHS)}; its kubelet keeps a condition for 5 minutes"
    if "DiskPressure" in found and (full := _full(room(*_PATHS).read(reach.node(node, migration)).values())):
        raise NotProven(
            f"{late.what}; {node.name} has {found}, so that its kubelet evicts pods, DaemonSets' too: {full}",
            next_step=next_step,
        )
    get_run_logger().warning(
        "node=%s has %s: its kubelet evicts pods, and keeps that for %d s after there is room again; waiting",
        node.name,
        found,
        _TRANSITION,
    )
    wait_no_pressure(api, node, seconds=_TRANSITION + _SLACK, next_step=next_step, stop=stop.stopping, sleep=stop.sleep)
    if gone := clear_evicted(api, node):
        get_run_logger().info("node=%s records of evicted pods let go: %s", node.name, ", ".join(gone))


def _full(found: Iterable[Room]) -> str:
    """The first filesystem that is fuller than the kubelet suffers, in words."""
    for each in found:
        if each.size and each.free < _NODEFS * each.size:
            return f"{each.mount} has {each.free / 1e9:.1f} GB free of {each.size / 1e9:.1f} GB"
    return ""
