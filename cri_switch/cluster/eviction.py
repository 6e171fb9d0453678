"""One pod on its way off a node: what to ask of the API next, and what the answer means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cri_switch.cluster import pods
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.drain_filters import should_skip
from cri_switch.model.errors import ApiError, Unreachable
from cri_switch.model.migration import Drain

RETRY_SECONDS = 5.0
"""kubectl's EvictErrorRetryDelay."""

_NOT_WELL = (502, 503, 504)
"""A server that stops, or a load balancer without one: no word about the pod. kubectl's drain ends there."""

Phase = Literal["ask", "wait", "gone", "skipped", "failed"]


@dataclass
class Leaving:
    """A pod's state; `due` is when to ask again, `lines` are to be said, `problem` is what was answered last."""

    pod: Obj
    settings: Drain
    phase: Phase = "ask"
    due: float = 0.0
    problem: str = ""
    asked: bool = False
    lines: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The pod's name."""
        return str(self.pod["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return str(self.pod["metadata"]["namespace"])

    @property
    def uid(self) -> str:
        """The pod's UID: another pod of the same name is not this one."""
        return str(self.pod["metadata"]["uid"])

    @property
    def pending(self) -> bool:
        """Whether it still has to go."""
        return self.phase in ("ask", "wait")

    def see(self, fresh: Obj | None, now: float) -> None:
        """Take in the pod as the API shows it now; None when no pod of this UID is on the node any more."""
        if fresh is None:
            self.phase = "gone"
            self.lines.append(f"pod/{self.name} {'deleted' if self.settings.disable_eviction else 'evicted'}")
            return
        self.pod = fresh
        if self.phase == "wait" and should_skip(fresh, self.settings.skip_wait_for_delete_timeout, now):
            seconds = self.settings.skip_wait_for_delete_timeout
            self.lines.append(f'pod "{self.name}" has DeletionTimestamp older than {seconds} seconds, skipping')
            self.phase = "skipped"

    def ask(self, cluster: Cluster, clock: float) -> None:
        """Evict (or delete) it once; what was answered decides the phase."""
        grace = self.settings.grace_period if self.settings.grace_period >= 0 else None
        try:
            if self.settings.disable_eviction:
                cluster.delete("Pod", self.name, self.namespace, uid=self.uid, grace=grace)
            else:
                self.lines.append(f"evicting pod {self.namespace}/{self.name}")
                cluster.evict(self.namespace, self.name, grace)
        except Unreachable as problem:
            self._again(clock, f'error when evicting pods/"{self.name}" -n "{self.namespace}"', problem.what)
            return
        except ApiError as problem:
            self._refused(problem, clock)
            return
        self.asked, self.phase, self.problem = True, "wait", ""

    def _refused(self, problem: ApiError, clock: float) -> None:
        what = f'error when evicting pods/"{self.name}" -n "{self.namespace}"'
        terminating = problem.status == 403 and any(c.startswith("NamespaceTerminating") for c in problem.causes)
        if problem.status == 404 and problem.reason == "NotFound":
            self.asked, self.phase = True, "wait"  # the next look finds it gone
        elif problem.status == 429 or problem.status in _NOT_WELL or "etcdserver: " in problem.what:
            self._again(clock, what, problem.what)
        elif terminating and self.pod["metadata"].get("deletionTimestamp"):
            self.asked, self.phase = True, "wait"
        elif terminating:
            what = f'error when evicting pod "{self.name}" from terminating namespace "{self.namespace}"'
            self._again(clock, what, problem.what)
        else:
            self.phase, self.problem = "failed", f"{what}: {problem.what}"

    def _again(self, clock: float, what: str, why: str) -> None:
        self.problem, self.due = why, clock + RETRY_SECONDS
        self.lines.append(f"{what} (will retry after {RETRY_SECONDS:.0f}s): {why}")

    def timed_out(self, seconds: float) -> str:
        """kubectl's words for a pod that did not go in time, and what is known of why."""
        if self.phase == "ask":
            text = f'error when evicting pods/"{self.name}" -n "{self.namespace}": global timeout reached: {seconds:g}s'
            return f"{text} ({self.problem})" if self.problem else text
        metadata = self.pod["metadata"]
        finalizers = metadata.get("finalizers")
        held = f", finalizers {', '.join(finalizers)}" if finalizers else ""
        since = metadata.get("deletionTimestamp")
        state = f" (terminating, due at {since}{held})" if since else ""
        return (
            f'error when waiting for pod "{self.name}" in namespace "{self.namespace}" to terminate:'
            f" global timeout reached: {seconds:g}s{state}"
        )

    def result(self) -> pods.EvictedPod:
        """What is remembered of it."""
        return pods.evicted(self.pod)
