"""kubectl drain, with DaemonSets ignored: same filters, same words, same refusals, one deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.drain_filters import Filtered, Filters, aggregate, filtered
from cri_switch.cluster.drain_rounds import Rounds, on_node
from cri_switch.cluster.eviction import Leaving
from cri_switch.cluster.inventory import same_node
from cri_switch.cluster.pods import EvictedPod, evicted
from cri_switch.cluster.wait import Pace
from cri_switch.model.errors import DrainBlocked
from cri_switch.model.migration import Drain
from cri_switch.model.node_ref import NodeRef

__all__ = ["DrainResult", "EvictedPod", "drain", "select"]


class DrainResult(BaseModel):
    """What a drain did; `first_eviction` is seconds since the epoch by the orchestrator's clock, None without any.

    `ignored` are the pods that stay: DaemonSets' and static ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    evicted: tuple[EvictedPod, ...] = ()
    ignored: tuple[EvictedPod, ...] = ()
    first_eviction: float | None = None


def drain(
    cluster: Cluster,
    node: NodeRef,
    settings: Drain,
    *,
    say: Callable[[str], None] = lambda _line: None,
    stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> DrainResult:
    """Take all pods off a cordoned node that kubectl drain would take.

    `say` is called in this thread only, with kubectl's lines.

    Raises:
        DrainBlocked: the node is not cordoned, a filter refused a pod (nothing was evicted then), an eviction was
            refused for good, or not every pod was gone in time: then it names the pods, and the budgets that block.
        Stopped: the run was asked to stop; pods that were asked to go, go.
        Moved, ApiError, Unreachable.
    """
    if not (same_node(cluster, node).get("spec") or {}).get("unschedulable"):
        raise DrainBlocked(
            f"{node.name}: the node is not cordoned, so evicted pods would come back to it",
            state="nothing was evicted",
            next_step=f"kubectl cordon {node.name}",
        )
    chosen = select(cluster, node, settings, now())
    if chosen.warnings:
        say(f"WARNING: {chosen.warnings}")
    started = now() if chosen.to_delete else None
    leaving = [Leaving(pod, settings) for pod in chosen.to_delete]
    Rounds(cluster, node, settings, say, Pace(stop, sleep, clock), now).run(leaving)
    say(f"node/{node.name} drained")
    return DrainResult(
        evicted=tuple(each.result() for each in leaving if each.phase != "skipped" or each.asked),
        ignored=tuple(evicted(pod) for pod in chosen.kept),
        first_eviction=started,
    )


def select(cluster: Cluster, node: NodeRef, settings: Drain, now: float) -> Filtered:
    """The node's pods through kubectl's filters; also the dry run of a drain.

    Raises:
        DrainBlocked: a pod is refused; every one is named.
    """
    known: dict[tuple[str, str], bool] = {}

    def exists(namespace: str, name: str) -> bool:
        if (namespace, name) not in known:
            known[namespace, name] = cluster.get("DaemonSet", name, namespace) is not None
        return known[namespace, name]

    chosen = filtered(on_node(cluster, node, settings.pod_selector), Filters(settings, exists, now))
    if chosen.errors:
        raise DrainBlocked(
            f'unable to drain node "{node.name}" due to error: {aggregate(chosen.errors)}',
            state="nothing was evicted",
            next_step="set spec.drain.force or spec.drain.delete_emptydir_data, or move these pods by hand",
        )
    return chosen
