"""A pod that proves a node's pod network: made there, pinged by the caller, deleted."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cri_switch.cluster import pods
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.pod_ranges import foreign_ranges, inside
from cri_switch.cluster.probe_manifest import LABEL, NAMESPACE, probe_manifest
from cri_switch.cluster.wait import Pace, until
from cri_switch.model.errors import ApiError, CriSwitchError, NotProven
from cri_switch.model.node_ref import NodeRef

_STALE_SECONDS = 3600.0
_RBAC_SAYS_NO = re.compile(r'User "[^"]*" cannot ')


@dataclass(frozen=True)
class Probe:
    """The pod: running with address `ip`, or `refused` by admission, with the server's words."""

    name: str
    ip: str = ""
    refused: str = ""
    pod: Obj = field(default_factory=dict)


@contextmanager
def probe_pod(
    cluster: Cluster,
    node: NodeRef,
    image: str,
    *,
    seconds: float,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
) -> Iterator[Probe]:
    """Run `image` (one that the node has, made to wait: its pause image) on the node, cordoned or not.

    The pod is deleted at the end, also after a failure; those of earlier runs are deleted first.

    Raises:
        RemoteTimeout: it does not run within `seconds`.
        NotProven: it failed, or its address is not of the node's pod range.
        ApiError: no right to make it (that is not a refusal by admission), Stopped.
    """
    _sweep(cluster, node, now())
    name = f"probe-{node.name[:40].rstrip('.-')}-{secrets.token_hex(3)}"
    try:
        cluster.create("Pod", probe_manifest(name, node.name, image), namespace=NAMESPACE)
    except ApiError as problem:
        if not _by_admission(problem):
            raise
        yield Probe(name, refused=problem.what)
        return
    try:
        pod = _running(cluster, node, name, seconds, Pace(stop, sleep, clock, every=0.5))
        yield Probe(name, ip=str(pod["status"]["podIP"]), pod=pod)
    except BaseException as problem:
        try:
            cluster.delete("Pod", name, NAMESPACE)
        except CriSwitchError as also:
            problem.add_note(f"probe pod {NAMESPACE}/{name} could not be deleted: {also.what}")
        raise
    cluster.delete("Pod", name, NAMESPACE)


def clear_probes(
    cluster: Cluster,
    node: NodeRef,
    *,
    seconds: float = 60.0,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
) -> None:
    """Delete what a killed run left on the node and wait until it is gone: a drain refuses pods without a controller.

    Raises: RemoteTimeout, ApiError, Stopped.
    """
    _sweep(cluster, node, now())

    def look() -> str:
        return ", ".join(
            pod["metadata"]["name"]
            for pod in cluster.list("Pod", namespace=NAMESPACE, labels=f"app={LABEL}")
            if pod["spec"].get("nodeName") == node.name
        )

    until(
        look,
        f"{node.name}: earlier probe pods gone",
        seconds,
        Pace(stop, sleep, clock, every=0.5),
        next_step=f"kubectl -n {NAMESPACE} delete pods -l app={LABEL} --force --grace-period=0",
    )


def _running(cluster: Cluster, node: NodeRef, name: str, seconds: float, pace: Pace) -> Obj:
    found: Obj = {}
    polled = cluster.impatient()

    def look() -> str:
        nonlocal found
        found = polled.get("Pod", name, NAMESPACE) or {}
        status = found.get("status") or {}
        if not found or status.get("phase") in ("Succeeded", "Failed"):
            why = f"{status.get('phase')}: {status.get('reason', '')} {status.get('message', '')}" if found else "gone"
            raise NotProven(f"{node.name}: probe pod {NAMESPACE}/{name} does not run ({why.strip()})")
        if status.get("phase") == "Running" and status.get("podIP"):
            return ""
        states = [(s.get("state") or {}).get("waiting") or {} for s in pods.container_statuses(found)]
        reasons = [f"{s.get('reason', '')} {s.get('message', '')}".strip() for s in states if s]
        return f"{status.get('phase', 'no phase')} ({'; '.join(reasons) or 'no container yet'})"

    until(
        look,
        f"{node.name}: probe pod {NAMESPACE}/{name}",
        seconds,
        pace,
        next_step=f"kubectl get events -n {NAMESPACE}; on {node.name}: journalctl -u kubelet",
    )
    ip = str(found["status"]["podIP"])
    if node.pod_cidrs and not inside(ip, node.pod_cidrs) and not foreign_ranges(cluster, but=LABEL):
        raise NotProven(
            f"{node.name}: the probe pod's address {ip} is not of the node's pod range {', '.join(node.pod_cidrs)}",
            next_step=f"on {node.name}: look at /etc/cni/net.d; a stray file there may come first",
        )
    return found


def _by_admission(problem: ApiError) -> bool:
    """403 but for RBAC's, 400 and 422, and a webhook that fails: admission. Everything else is not."""
    if problem.status == 403:
        return not _RBAC_SAYS_NO.search(problem.what)
    return problem.status in (400, 422) or (problem.status == 500 and "webhook" in problem.what)


def _sweep(cluster: Cluster, node: NodeRef, now: float) -> None:
    """Delete what earlier runs left: on this node all, elsewhere what is older than an hour."""
    for pod in cluster.list("Pod", namespace=NAMESPACE, labels=f"app={LABEL}"):
        metadata = pod["metadata"]
        old = now - pods.epoch(metadata["creationTimestamp"]) > _STALE_SECONDS
        if pod["spec"].get("nodeName") == node.name or old:
            cluster.delete("Pod", metadata["name"], NAMESPACE, uid=metadata["uid"])
