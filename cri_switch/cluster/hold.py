"""Critical DaemonSets off a node while it is switched, and back exactly as they were."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from cri_switch.cluster import pods
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.hold_patch import HOLD, held, is_held, merge_patch, put_back
from cri_switch.cluster.inventory import same_node
from cri_switch.cluster.node_patch import annotations_of, patch_node
from cri_switch.cluster.node_pods import wait_node_pods
from cri_switch.cluster.wait import Pace, until
from cri_switch.model.errors import ApiError
from cri_switch.model.node_ref import NodeRef

PODS = "cri-switch.io/held-pods"
"""Annotation of a held node: JSON list of the pods that were there (see OwnPod), to be waited for at the end."""
_TRIES = 10


def hold(cluster: Cluster, node: NodeRef, names: Sequence[str], migration_id: str) -> list[str]:
    """Label the node and hold these DaemonSets (`namespace/name`); those that were changed for it.

    One that does not exist (any more) is passed over. Raises Moved, ApiError, Unreachable.
    """
    here = [pod for pod in _pods_of(cluster, node, names) if not pod["metadata"].get("deletionTimestamp")]
    noted = [
        {"namespace": n, "kind": "DaemonSet", "name": name, "ready": pods.is_ready(pod)}
        for pod in here
        for n, name in [_owner(pod)]
    ]

    def change(found: Obj) -> Obj | None:
        if HOLD in (found["metadata"].get("labels") or {}):
            return None
        return {"metadata": {"labels": {HOLD: migration_id}, "annotations": {PODS: json.dumps(noted)}}}

    patch_node(cluster, node, change)
    done = []
    for each in names:
        namespace, _, name = each.partition("/")
        if _changed(cluster, namespace, name, held):
            done.append(each)
    return done


def wait_off(
    cluster: Cluster,
    node: NodeRef,
    names: Sequence[str],
    *,
    seconds: float,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> float:
    """Wait until no pod of these DaemonSets is on the node; how many seconds it took.

    A node whose kubelet does not report ends no pod: there is nothing to wait for then. Raises RemoteTimeout, Stopped.
    """
    polled = cluster.impatient()

    def look() -> str:
        left = [pods.title(pod) for pod in _pods_of(polled, node, names)]
        return ", ".join(left) if left and pods.is_ready(same_node(polled, node)) else ""

    what = f"{node.name}: the pods of {', '.join(names)} to be gone"
    return until(look, what, seconds, Pace(stop, sleep, clock), next_step=f"kubectl describe node {node.name}")


def put_back_all(cluster: Cluster) -> list[str]:
    """Every DaemonSet that is held, as it was; `namespace/name` of each."""
    done = []
    for each in cluster.list("DaemonSet"):
        metadata = each["metadata"]
        if is_held(each) and _changed(cluster, metadata["namespace"], metadata["name"], put_back):
            done.append(f"{metadata['namespace']}/{metadata['name']}")
    return done


def wait_back(cluster: Cluster, node: NodeRef, *, runtime: str, seconds: float, **pace: Any) -> str:
    """Wait until the pods that were there before run on `runtime`. Raises RemoteTimeout, Stopped, Moved."""
    text = annotations_of(same_node(cluster, node)).get(PODS, "[]")
    return wait_node_pods(cluster, node, runtime=runtime, expected=json.loads(text), seconds=seconds, **pace)


def unlabel(cluster: Cluster, node: NodeRef) -> bool:
    """Take our label and note off the node; whether they were there."""

    def change(found: Obj) -> Obj | None:
        if not held_node(found) and PODS not in annotations_of(found):
            return None
        return {"metadata": {"labels": {HOLD: None}, "annotations": {PODS: None}}}

    return patch_node(cluster, node, change)


def held_node(node: Obj) -> bool:
    """Whether a node has our label."""
    return HOLD in (node["metadata"].get("labels") or {})


def _owner(pod: Obj) -> tuple[str, str]:
    return str(pod["metadata"]["namespace"]), str((pods.controller(pod) or {}).get("name", ""))


def _pods_of(cluster: Cluster, node: NodeRef, names: Sequence[str]) -> list[Obj]:
    return [
        pod
        for pod in cluster.list("Pod", fields=f"spec.nodeName={node.name}")
        if (pods.controller(pod) or {}).get("kind") == "DaemonSet" and "/".join(_owner(pod)) in names
    ]


def _changed(cluster: Cluster, namespace: str, name: str, wish: Callable[[Obj], Obj]) -> bool:
    """One patch: strategy, affinity and note change together or not at all."""
    for attempt in range(_TRIES):
        found = cluster.get("DaemonSet", name, namespace)
        if found is None:
            return False
        patch = merge_patch(found, wish(found))
        if not patch:
            return False
        patch.setdefault("metadata", {})["resourceVersion"] = found["metadata"]["resourceVersion"]
        try:
            cluster.patch("DaemonSet", name, patch, namespace=namespace, again=True)
        except ApiError as problem:
            if problem.status != 409 or attempt == _TRIES - 1:
                raise
        else:
            return True
    raise AssertionError("unreachable")
