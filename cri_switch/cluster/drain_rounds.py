"""The pods of a drain on their way, until all are gone.

All pods are on their way side by side, each with its own retry delay; one listing of the node a second tells who is
gone. That a pod is gone means that no pod of its UID is on the node: one of the same name may be there anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from cri_switch.cluster import pdb
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.drain_filters import aggregate
from cri_switch.cluster.eviction import Leaving
from cri_switch.cluster.pods import title
from cri_switch.cluster.wait import Pace
from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import DrainBlocked, Unreachable
from cri_switch.model.migration import Drain
from cri_switch.model.node_ref import NodeRef

_AT_ONCE = 8


def on_node(cluster: Cluster, node: NodeRef, labels: str = "") -> list[Obj]:
    """The pods on a node."""
    return cluster.list("Pod", fields=f"spec.nodeName={node.name}", labels=labels)


class Rounds:
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
        """Raise DrainBlocked where an eviction was refused for good, or not every pod was gone in time; Stopped."""
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
            alive = {pod["metadata"]["uid"]: pod for pod in on_node(self.cluster, self.node)}
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
        return f"{gone} pods are gone, there are pending pods: {', '.join(left)}"
