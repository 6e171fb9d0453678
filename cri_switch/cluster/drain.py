"""kubectl drain, with DaemonSets ignored: same filters, same words, same refusals, one deadline.

All pods are on their way side by side, each with its own retry delay; one listing of the node a second tells who is
gone. That a pod is gone means that no pod of its UID is on the node: one of the same name may be there anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from pydantic import BaseModel, ConfigDict

from cri_switch.cluster import pdb
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.drain_filters import Filtered, Filters, aggregate, filtered
from cri_switch.cluster.eviction import Leaving
from cri_switch.cluster.inventory import same_node
from cri_switch.cluster.pods import EvictedPod, evicted, title
from cri_switch.cluster.wait import Pace
from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import DrainBlocked, Unreachable
from cri_switch.model.migration import Drain
from cri_switch.model.node_ref import NodeRef

__all__ = ["DrainResult", "EvictedPod", "drain", "select"]

_AT_ONCE = 8


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
    _Rounds(cluster, node, settings, say, Pace(stop, sleep, clock), now).run(leaving)
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

    chosen = filtered(_on_node(cluster, node, settings.pod_selector), Filters(settings, exists, now))
    if chosen.errors:
        raise DrainBlocked(
            f'unable to drain node "{node.name}" due to error: {aggregate(chosen.errors)}',
            state="nothing was evicted",
            next_step="set spec.drain.force or spec.drain.delete_emptydir_data, or move these pods by hand",
        )
    return chosen


def _on_node(cluster: Cluster, node: NodeRef, labels: str = "") -> list[Obj]:
    return cluster.list("Pod", fields=f"spec.nodeName={node.name}", labels=labels)


class _Rounds:
    """Round after round until every pod is gone or the deadline has passed."""

    def __init__(
        self,
        cluster: Cluster,
        node: NodeRef,
        settings: Drain,
        say: Callable[[str], None],
        pace: Pace,
        now: Callable[[], float],
    ) -> None:
        self.cluster, self.node, self.settings, self.say, self.pace, self.now = cluster, node, settings, say, pace, now
        self.deadline = Deadline.after(settings.timeout, pace.clock)

    def run(self, leaving: list[Leaving]) -> None:
        """Raises DrainBlocked as `drain` does."""
        pool, pauses = ThreadPoolExecutor(_AT_ONCE, f"drain-{self.node.name}"), self.pace.pauses()
        try:
            while any(each.pending for each in leaving):
                self.pace.check(f"the drain of {self.node.name}")
                if self.deadline.expired:
                    raise self._timed_out(leaving)
                self._ask(pool, leaving)
                self._look(leaving)
                self._tell(leaving)
                if any(each.pending for each in leaving):
                    self.pace.sleep(min(next(pauses), self.deadline.remaining))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        failed = [each.problem for each in leaving if each.phase == "failed"]
        if failed:
            raise DrainBlocked(
                f'unable to drain node "{self.node.name}" due to error: {aggregate(failed)}',
                state=self._state(leaving),
                next_step=f"kubectl get pods -A --field-selector spec.nodeName={self.node.name}",
            )

    def _ask(self, pool: ThreadPoolExecutor, leaving: Iterable[Leaving]) -> None:
        clock = self.pace.clock()
        due = [each for each in leaving if each.phase == "ask" and each.due <= clock]
        for _ in pool.map(lambda each: each.ask(self.cluster, clock), due):
            pass  # what a thread raised is raised here

    def _look(self, leaving: Iterable[Leaving]) -> None:
        try:
            alive = {pod["metadata"]["uid"]: pod for pod in _on_node(self.cluster, self.node)}
        except Unreachable as problem:
            self.say(f"{self.node.name}: {problem.what}")  # the deadline decides how long
            return
        for each in leaving:
            if each.pending:
                each.see(alive.get(each.uid), self.now())

    def _tell(self, leaving: Iterable[Leaving]) -> None:
        for each in leaving:
            for line in each.lines:
                self.say(line)
            each.lines.clear()

    def _timed_out(self, leaving: list[Leaving]) -> DrainBlocked:
        pending = [each for each in leaving if each.pending]
        refused = [each.pod for each in pending if each.phase == "ask"]
        budgets = self.cluster.list("PodDisruptionBudget") if refused else []
        blocking = list(dict.fromkeys(line for pod in refused for line in pdb.blocking(pod, budgets)))
        what = f'unable to drain node "{self.node.name}" due to error: '
        what += aggregate([each.timed_out(self.settings.timeout) for each in pending])
        return DrainBlocked(
            "\n".join([what, *blocking]),
            state=self._state(leaving),
            next_step=(
                "scale up what the budgets guard, or see why its pods are not ready"
                if blocking
                else f"kubectl describe pod -n {pending[0].namespace} {pending[0].name}"
            ),
        )

    def _state(self, leaving: list[Leaving]) -> str:
        left = [title(each.pod) for each in leaving if each.phase in ("ask", "wait", "failed")]
        gone = sum(1 for each in leaving if each.phase in ("gone", "skipped"))
        return f"{self.node.name} is cordoned, {gone} pods are gone, there are pending pods: {', '.join(left)}"
