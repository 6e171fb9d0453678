"""A node is Ready on the new runtime: said by the kubelet that runs now."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable

from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.inventory import same_node
from cri_switch.cluster.pods import epoch
from cri_switch.cluster.wait import Pace, until
from cri_switch.model.node_ref import NodeRef


def wait_runtime(
    cluster: Cluster,
    node: NodeRef,
    *,
    runtime: str,
    newer_than: float,
    seconds: float,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Wait until the API reports it; the answer is the runtime with its version, `containerd://1.4.13`.

    `newer_than` is the kubelet's start, seconds since the epoch by the node's own clock: an older heartbeat is the
    old kubelet's. The API may be away meanwhile (a single control plane).

    Raises RemoteTimeout with what was seen, Moved, Stopped.
    """
    seen: Obj = {}
    polled = cluster.impatient()

    def look() -> str:
        nonlocal seen
        seen = same_node(polled, node)
        return missing(seen, runtime, newer_than)

    until(
        look,
        f"{node.name}: Ready on {runtime}",
        seconds,
        Pace(stop, sleep, clock, every=0.5),
        next_step=f"on {node.name}: journalctl -u kubelet; kubectl describe node {node.name}",
    )
    return str(seen["status"]["nodeInfo"]["containerRuntimeVersion"])


def missing(node: Obj, runtime: str, newer_than: float) -> str:
    """What a node's JSON lacks of "Ready on `runtime` since `newer_than`"; empty when nothing does."""
    status = node.get("status") or {}
    ready = next((c for c in status.get("conditions") or [] if c["type"] == "Ready"), None)
    if ready is None:
        return "no condition Ready"
    found = (status.get("nodeInfo") or {}).get("containerRuntimeVersion", "")
    lacks = []
    # The API keeps whole seconds, and a clean start is Ready within its first second.
    if epoch(ready["lastHeartbeatTime"]) < math.floor(newer_than):
        started = datetime.datetime.fromtimestamp(newer_than, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        lacks.append(f"last heartbeat {ready['lastHeartbeatTime']}, the kubelet started {started}")
    if ready["status"] != "True":
        lacks.append(f"Ready is {ready['status']} ({ready.get('reason', '')}: {ready.get('message', '')})")
    if not found.startswith(f"{runtime}://"):
        lacks.append(f"it reports {found or 'no runtime'}")
    return "; ".join(lacks)
