"""The workloads of a cluster before anything is touched, to be compared with them after."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from cri_switch.cluster import pods
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.counts import Count, counts, unready
from cri_switch.cluster.left_pending import Kept, LeftPending, none_kept
from cri_switch.cluster.wait import Pace, until

_FAILING = {
    "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName",
    "CreateContainerError", "CreateContainerConfigError", "RunContainerError",
}  # fmt: skip
_RUN_OF_CRONJOB = re.compile(r"-\d{7,}$")


class WorkloadSnapshot(BaseModel):
    """Every controller, what fails by itself (`Kind namespace/name: Reason`), and the nodes that are not Ready."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    counts: tuple[Count, ...] = ()
    failing: tuple[str, ...] = ()
    not_ready: tuple[str, ...] = ()
    exhausted: tuple[str, ...] = ()
    """Budgets that allow no disruption, as namespace/name."""


def take_snapshot(cluster: Cluster) -> WorkloadSnapshot:
    """Look at everything once. Raises ApiError, Unreachable."""
    return WorkloadSnapshot(
        counts=counts(cluster),
        failing=tuple(failing(cluster.list("Pod"))),
        not_ready=tuple(not_ready(cluster.list("Node"))),
        exhausted=tuple(exhausted(cluster.list("PodDisruptionBudget"))),
    )


def wait_whole(
    cluster: Cluster,
    before: WorkloadSnapshot,
    *,
    seconds: float,
    kept: Kept = none_kept,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Wait until nothing is `unready` but for `kept` pods. Raises RemoteTimeout with what is, Stopped, ApiError."""
    polled = cluster.impatient()
    pending = LeftPending(polled, kept)

    def look() -> str:
        now = counts(polled)
        lacks = unready(before.counts, now)
        return "; ".join(unready(before.counts, now, pending.by_controller())) if lacks else ""

    until(
        look,
        "the workloads to be as before",
        seconds,
        Pace(stop, sleep, clock, every=2.0),
        next_step="kubectl get deployments,statefulsets,daemonsets,pods -A -o wide",
    )
    return f"{len(before.counts)} controllers as before{pending.said()}"


def failing(all_pods: list[Obj]) -> list[str]:
    """What fails, by its controller and reason: `ReplicaSet lab/web-5d: CrashLoopBackOff`. A pod that only ended badly
    counts if nothing replaces it."""
    lines = set()
    for pod in all_pods:
        owner, metadata = pods.controller(pod), pod["metadata"]
        kind, name = (owner["kind"], owner["name"]) if owner else ("Pod", metadata["name"])
        if kind == "Job":
            name = _RUN_OF_CRONJOB.sub("", name)  # the next run of a CronJob that fails is not a new failure
        status = pod.get("status") or {}
        states = [*pods.container_statuses(pod), *(status.get("initContainerStatuses") or [])]
        reasons = {((state.get("state") or {}).get("waiting") or {}).get("reason") for state in states} & _FAILING
        if status.get("phase") == "Failed" and owner is None:
            reasons.add("Failed")
        lines |= {f"{kind} {metadata['namespace']}/{name}: {reason}" for reason in reasons}
    return sorted(lines)


def not_ready(nodes: list[Obj]) -> list[str]:
    """Names of the nodes whose condition Ready is not True."""
    return sorted(node["metadata"]["name"] for node in nodes if not pods.is_ready(node))


def exhausted(budgets: list[Obj]) -> list[str]:
    """Budgets with pods that allow no disruption now."""
    lines = []
    for budget in budgets:
        status, metadata = budget.get("status") or {}, budget["metadata"]
        if status.get("expectedPods") and not status.get("disruptionsAllowed"):
            lines.append(f"{metadata['namespace']}/{metadata['name']}")
    return sorted(lines)
