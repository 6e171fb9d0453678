"""A node is settled when its pods run and what it lost runs elsewhere: only then comes the next node."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cri_switch.cluster import pods
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.controller_status import short
from cri_switch.cluster.left_pending import Kept, LeftPending, none_kept
from cri_switch.cluster.pods import EvictedPod
from cri_switch.cluster.wait import Pace, until
from cri_switch.cluster.workloads import COUNTED, Controller, Owners
from cri_switch.model.node_ref import NodeRef


def settled(
    cluster: Cluster,
    node: NodeRef,
    evicted: Sequence[EvictedPod],
    *,
    seconds: float,
    controllers: Sequence[dict[str, Any]] = (),
    kept: Kept = none_kept,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Wait until every controller that lost a pod is whole, the node's pods run and its volumes are let go.

    `controllers` is what `controllers_on` noted before the drain: it covers an earlier run's evictions too, and more
    ready pods than then are not asked for, nor those that an administrator's cordon keeps Pending (`kept`): these, and
    owners of kinds that cannot be counted, are named in the answer.

    Raises RemoteTimeout that names what is missing, Stopped, ApiError.
    """
    watched, uncounted = _watched(cluster, evicted, controllers)
    polled = cluster.impatient()
    pending = LeftPending(polled, kept)

    def look() -> str:
        on_node = polled.list("Pod", fields=f"spec.nodeName={node.name}")
        lacks = {key: text for key, before in watched.items() if (text := _short(polled, key, before))}
        if lacks:
            left = pending.by_controller()
            lacks = {key: text for key in lacks if (text := _short(polled, key, watched[key], left[key]))}
        weak = {key for key, before in watched.items() if before == 0} | set(lacks)
        texts = [f"{kind} {namespace}/{name}: {text}" for (namespace, kind, name), text in lacks.items()]
        texts += _not_started(polled, on_node, weak)
        texts += _attached(polled, node, evicted, on_node)
        return "; ".join(texts)

    took = until(
        look,
        f"{node.name}: the workloads to settle",
        seconds,
        Pace(stop, sleep, clock),
        next_step="kubectl get pods -A -o wide; kubectl get events -A",
    )
    text = f"{len(watched)} controllers whole, volumes let go after {took:.0f} s{pending.said()}"
    return f"{text}; not judged: {', '.join(sorted(uncounted))}" if uncounted else text


def _watched(
    cluster: Cluster, evicted: Iterable[EvictedPod], noted: Iterable[dict[str, Any]]
) -> tuple[dict[tuple[str, str, str], int | None], set[str]]:
    """Ready counts before (None: not noted) by controller, and the owners that cannot be counted."""
    watched = {each.key: each.ready for each in map(Controller.model_validate, noted)}
    owners, uncounted = Owners(cluster), set[str]()
    for pod in evicted:
        if not pod.owner_kind or pod.owner_kind == "DaemonSet":
            continue
        kind, name = owners.top(pod.namespace, pod.owner_kind, pod.owner_name)
        if kind in COUNTED:
            watched.setdefault((pod.namespace, kind, name), None)
        else:
            uncounted.add(f"{kind} {pod.namespace}/{name}")
    return watched, uncounted


def _short(cluster: Cluster, key: tuple[str, str, str], before: int | None, left: int = 0) -> str:
    namespace, kind, name = key
    found = cluster.get(kind, name, namespace)
    return short(found, before, left) if found else ""  # deleted meanwhile: nothing to wait for


def _not_started(cluster: Cluster, on_node: Iterable[Obj], weak: set[tuple[str, str, str]]) -> list[str]:
    """Pods on the node that have not started; those of `weak` controllers (none ready before) say nothing of it."""
    owners, texts = Owners(cluster), []
    for pod in on_node:
        status = pod.get("status") or {}
        if status.get("phase") != "Pending" or pods.is_mirror(pod) or pod["metadata"].get("deletionTimestamp"):
            continue
        if owners.of(pod) not in weak:
            waiting = [
                ((s.get("state") or {}).get("waiting") or {}).get("reason") for s in pods.container_statuses(pod)
            ]
            reason = ", ".join(r for r in waiting if r) or "Pending"
            texts.append(f"pod {pods.title(pod)} does not run on it ({reason})")
    return texts


def _attached(cluster: Cluster, node: NodeRef, evicted: Iterable[EvictedPod], on_node: Iterable[Obj]) -> list[str]:
    """VolumeAttachments of the node for volumes of evicted pods that no pod on the node uses now."""
    lost = {(pod.namespace, claim) for pod in evicted for claim in pod.claims}
    lost -= {(pod["metadata"]["namespace"], claim) for pod in on_node for claim in pods.claims(pod)}
    if not lost:
        return []
    volumes = {
        claim["spec"].get("volumeName"): f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"
        for claim in cluster.list("PersistentVolumeClaim")
        if (claim["metadata"]["namespace"], claim["metadata"]["name"]) in lost
    }
    return [
        f"volume {volume} of claim {volumes[volume]} is still attached"
        for attachment in cluster.list("VolumeAttachment")
        if attachment["spec"]["nodeName"] == node.name
        and (volume := (attachment["spec"].get("source") or {}).get("persistentVolumeName")) in volumes
    ]
