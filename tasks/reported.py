"""A node reports Ready again, to an API that serves."""

from __future__ import annotations

from cri_switch.cluster.api_health import wait_api
from cri_switch.cluster.node_status import wait_runtime
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.facts.kubelet import KUBELET_STARTED
from tasks import reach, stop


def reported(node: NodeRef, migration: Migration, *, runtime: str, started: float | None = None) -> str:
    """The runtime that the node's kubelet reports, once it is `runtime` and Ready; a control plane's API comes first.

    Said since the kubelet's start; None asks the node when that was.

    Raises: RemoteTimeout, Moved, Stopped, Unreachable.
    """
    api, timeouts = reach.cluster(migration), migration.spec.timeouts
    if node.role == "control-plane":
        wait_api(api, seconds=timeouts.api, stop=stop.stopping, sleep=stop.sleep)
    since = KUBELET_STARTED.read(reach.node(node, migration)) if started is None else started
    return wait_runtime(
        api,
        node,
        runtime=runtime,
        newer_than=since,
        seconds=timeouts.node_ready,
        stop=stop.stopping,
        sleep=stop.sleep,
    )
