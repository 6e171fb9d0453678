"""Batch after batch of nodes: who went through, who did not, and when no further node is started."""

from __future__ import annotations

from collections.abc import Iterator

from prefect import get_run_logger

from cri_switch.model.errors import CriSwitchError, Moved, NodeFailed, RollbackFailed, Stopped
from cri_switch.model.migration import Migration
from cri_switch.model.node_outcome import NodeOutcome
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.model.report import Outcome, Report
from flows.migrate_node import begun, migrate_node
from flows.side_by_side import side_by_side
from tasks import stop
from tasks.batch_cordon import cordon_batch
from tasks.control_plane import may_go_out, next_control_plane
from tasks.docker import remove_docker
from tasks.open_attempt import open_attempt
from tasks.step import stands

_STARTS = 4


class Batches:
    """The state of a run over its batches; `problem` is what ended it early."""

    def __init__(self, plan: Plan, migration: Migration) -> None:
        self.plan = plan
        self.migration = migration
        self.outcomes: dict[str, NodeOutcome] = {}
        self.failures: dict[str, CriSwitchError | Exception] = {}
        self.problem: CriSwitchError | None = None

    def in_turn(self) -> Iterator[tuple[NodeRef, ...]]:
        """The plan's batches; among control-plane nodes the next is chosen when its turn has come.

        Raises:
            NotProven: the control plane is not well, or etcd would lose its quorum.
        """
        half_done = self.plan.half_done
        planes = [node for node in self.plan.todo if node.role == "control-plane"]
        waiting = [node for node in planes if node.name not in half_done]
        for batch in self.plan.batches:
            if batch[0] not in planes or batch[0].name in half_done or self.migration.spec.dry_run:
                yield batch
                continue
            chosen = next_control_plane(waiting, self.plan, self.migration)
            waiting.remove(chosen)
            yield (chosen,)

    def run(self, batch: tuple[NodeRef, ...]) -> None:
        """One batch, side by side; every node of it is cordoned before the first drain.

        Raises:
            NodeFailed: more nodes failed than `max_failures`; no further node may start.
            NotProven: as in_turn; things may have changed since, for as long as an approval takes.
        """
        if batch[0].role == "control-plane" and not self.migration.spec.dry_run:
            may_go_out(batch[0], self.plan, self.migration)
        cordon_batch(list(batch), self.plan, self.migration)
        for node, answer in side_by_side(self._one, batch, at_once=len(batch)):
            if isinstance(answer, Exception):
                self.failures[node.name] = answer
        why = stop.why()
        if why is not None:
            raise why
        if self.failures and (len(self.failures) > self.migration.spec.max_failures or self._critical(batch)):
            raise self._failed()

    def _critical(self, batch: tuple[NodeRef, ...]) -> bool:
        """What `max_failures` never allows: the canary failed, a control-plane node, or one was left unhealthy."""
        if any(isinstance(problem, RollbackFailed) for problem in self.failures.values()):
            return True
        failed = any(node.name in self.failures for node in batch)
        return failed and (batch == self.plan.canary or batch[0].role == "control-plane")

    def remove_docker(self) -> None:
        """Docker's packages, node by node, once the whole cluster is proven: not where a node has failed."""
        if self.migration.spec.remove_docker == "never" or self.failures:
            return
        for node in self.plan.finished_before:
            remove_docker(open_attempt(node, self.migration, self.plan), self.migration)
        if self.migration.spec.remove_docker == "after_migration":
            for name, outcome in list(self.outcomes.items()):
                result = remove_docker(outcome.attempt, self.migration)
                self.outcomes[name] = outcome.model_copy(update={"results": (*outcome.results, result)})

    @property
    def reasons(self) -> dict[str, str]:
        """Why nodes failed, in words."""
        return {name: str(problem) for name, problem in self.failures.items()}

    @property
    def ended(self) -> dict[str, Outcome]:
        """How the nodes that failed are left: back on Docker, or unhealthy."""
        ends: dict[str, Outcome] = {}
        for name, problem in self.failures.items():
            if isinstance(problem, RollbackFailed):
                ends[name] = "unhealthy"
            elif isinstance(problem, CriSwitchError) and problem.rolled_back:
                ends[name] = "rolled-back"
        return ends

    @property
    def left(self) -> list[str]:
        """The nodes that have not arrived."""
        return [node.name for node in self.plan.todo if node.name not in self.outcomes]

    def cancelled(self) -> None:
        """The run was asked to stop: say where each node stands, and end with that."""
        at = stands()
        half = {name: at[name] for name in self.left if at.get(name, "stage").split()[0] != "stage"}
        for name, step in half.items():
            self.failures.setdefault(name, Stopped(f"left at {step}; the next run goes on here"))
        untouched = [name for name in self.left if name not in half]
        before = [node.name for node in self.plan.finished_before]
        for name in (*self.outcomes, *before):
            if at.get(name) == "remove_docker (not finished)":
                half[name] = at[name]
        self.problem = Stopped(
            "the run was cancelled",
            state="; ".join(
                [
                    f"migrated: {', '.join(self.outcomes) or 'none'}",
                    *([f"migrated by an earlier run: {', '.join(before)}"] if before else []),
                    *(f"{name} is left at {step}" for name, step in half.items()),
                    f"untouched: {', '.join(untouched) or 'none'}",
                ]
            ),
            next_step="run the same command again: it resumes here",
        )

    def conclude(self, report: Report) -> Report:
        """The report of a run that reached its end, or the error that says why it did not.

        Raises:
            CriSwitchError: what ended the run early; its `report` is the report.
            Moved: the chosen nodes arrived, but the cluster's nodes are not those of the plan any more.
        """
        problem = self.problem
        if problem is None and self.failures:
            problem = self._failed()
        if problem is None and report.moved:
            problem = Moved(
                "the cluster's nodes changed since the plan: " + "; ".join(report.moved),
                state="every node of the plan is on the new runtime",
                next_step="run the same command again: it plans with the nodes that are there now",
            )
        if problem is not None:
            problem.report = report
            raise problem
        return report

    def _one(self, node: NodeRef) -> NodeOutcome:
        """The node's subflow; a failure to even start it means again, not that the node failed (prefect.md 1)."""
        for start in range(1, _STARTS + 1):
            before = begun(node)
            try:
                outcome = migrate_node(node, self.migration, self.plan)
            except Exception as problem:
                if begun(node) > before or start == _STARTS or isinstance(problem, CriSwitchError):
                    raise
                get_run_logger().warning("node=%s its flow could not be started (%s): again", node.name, problem)
                stop.sleep(2.0**start)
                continue
            if outcome.attempt.node.name != node.name:
                raise NodeFailed(f"the engine answered {outcome.attempt.node.name} where {node.name} was asked for")
            self.outcomes[node.name] = outcome  # at once: a cancel that comes now leaves this node done
            return outcome
        raise AssertionError("unreachable")

    def _failed(self) -> NodeFailed:
        lines = [f"{name}: {reason}" for name, reason in self.reasons.items()]
        todo = [node.name for node in self.plan.todo if node.name not in {**self.outcomes, **self.failures}]
        lost = [problem for problem in self.failures.values() if isinstance(problem, RollbackFailed)]
        first = [f"{problem.next_step}; then " for problem in lost]
        unhealthy = [name for name, end in self.ended.items() if end == "unhealthy"]
        return NodeFailed(
            "not every node reached the target:\n" + "\n".join(lines),
            state=f"migrated: {', '.join(self.outcomes) or 'none'}; "
            + (f"unhealthy: {', '.join(unhealthy)}; " if unhealthy else "")
            + f"untouched: {', '.join(todo) or 'none'}",
            next_step="".join(first)
            + "mend what is named above and run the same command again: it resumes at the failed node",
        )
