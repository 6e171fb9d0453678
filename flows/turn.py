"""What must hold before the next batch may start: no stop, the window, a person's yes."""

from __future__ import annotations

from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.report import Approval
from flows.batch import Batches
from tasks import stop
from tasks.approval import POINTS, approve, asked_before, check_askable
from tasks.canary import canary_done
from tasks.gate import unblocked


class Turn:
    """Asks everything that may hold a batch back; `approvals` are those of this run, in order."""

    def __init__(self, batches: Batches, migration: Migration) -> None:
        self.batches = batches
        self.migration = migration
        self.approvals: list[Approval] = []
        self._canary_begun = False

    def begin(self) -> None:
        """Before anything is touched.

        Raises:
            WindowClosed: it is closed, or too short for a node.
            NotApproved: nobody could be asked, or this run was suspended and resumed without a yes.
        """
        plan = self.batches.plan
        if plan.todo or plan.finished_before:
            self._check(node=bool(plan.todo))
        if self.migration.spec.dry_run:
            return
        check_askable(self.migration)
        if "after_canary" in POINTS[self.migration.spec.approval] and plan.todo:
            self._canary_begun = canary_done(plan, self.migration)
        for point in asked_before():
            self._ask(point)

    def next(self, batch: tuple[NodeRef, ...]) -> None:
        """Before a batch starts; the empty one is what comes after the last.

        Raises:
            WindowClosed, NotApproved, GateClosed: no further node starts.
            Stopped, LockHeld: the run was asked to stop.
        """
        self._check(node=bool(batch))
        for point in self._points(batch) if not self.migration.spec.dry_run else ():
            if point not in [each.point for each in self.approvals]:
                self._ask(point)
                self._check(node=True)
        self._unblocked(batch)
        canary = self.batches.plan.canary
        self._canary_begun |= bool(batch) and batch[0].role == canary[0].role

    def _check(self, *, node: bool) -> None:
        why = stop.why()
        if why is not None:
            raise why
        self.batches.check_window(node=node)

    def _unblocked(self, batch: tuple[NodeRef, ...]) -> None:
        wanted = self.migration.spec.gate
        if batch and (wanted.blocking_pod_selector or wanted.prometheus) and not self.migration.spec.dry_run:
            unblocked(list(batch), self.migration)
            self._check(node=True)

    def _points(self, batch: tuple[NodeRef, ...]) -> list[str]:
        wanted = POINTS[self.migration.spec.approval]
        if all(node.name in self.batches.plan.half_done for node in batch):
            return []  # begun by an earlier run, with the yes that it had; half done is no place to wait at
        now = {"after_canary": self._canary_begun, "before_control_plane": batch[0].role == "control-plane"}
        return [point for point in wanted if now[point]]

    def _ask(self, point: str) -> None:
        plan, done = self.batches.plan, self.batches.outcomes
        lines = [f"# Migration {self.migration.metadata.name}: {point.replace('_', ' ')}", "", plan.summary, ""]
        lines += ["| NAME | ROLES | STATE |", "|---|---|---|"]
        for node in plan.todo:
            state = f"migrated, {done[node.name].out_of_service:.1f} s out" if node.name in done else "waits"
            lines.append(f"| {node.name} | {node.role} | {state} |")
        lines += ["", "Nothing further starts without `approved: true`."]
        self.approvals.append(approve(point, "\n".join(lines), self.migration))
