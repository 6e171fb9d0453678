"""Batch after batch of nodes: who went through, who did not, and when no further node is started."""

from __future__ import annotations

from collections.abc import Iterator

from prefect import get_run_logger

from cri_switch.model.errors import CriSwitchError, LockHeld, NodeFailed, Stopped, WindowClosed
from cri_switch.model.migration import Migration
from cri_switch.model.node_end import RunSoFar, rolled_back
from cri_switch.model.node_outcome import NodeOutcome
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.model.report import Report
from cri_switch.model.step_result import StepResult
from flows.conclusion import concluded, failed, first_typed
from flows.migrate_node import begun, migrate_node
from flows.side_by_side import side_by_side
from tasks import stop
from tasks.batch_cordon import cordon_batch, free_batch
from tasks.control_plane import may_go_out, next_control_plane
from tasks.docker import remove_docker
from tasks.open_attempt import open_attempt
from tasks.step import stands
from tasks.window import check_window

_STARTS = 4


class Batches:
    """The state of a run over its batches; `problem` is what ended it early.

    `removed` are the removals of Docker from nodes that an earlier run has switched: no outcome of this run has them.
    """

    def __init__(self, plan: Plan, migration: Migration) -> None:
        self.plan = plan
        self.migration = migration
        self.outcomes: dict[str, NodeOutcome] = {}
        self.removed: dict[str, StepResult] = {}
        self.failures: dict[str, CriSwitchError | Exception] = {}
        self.problem: CriSwitchError | None = None
        self._cordoned: set[str] = set()

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
            WindowClosed: the window has ended while the control plane was asked.
        """
        if batch[0].role == "control-plane" and not self.migration.spec.dry_run:
            may_go_out(batch[0], self.plan, self.migration)
        self.check_window()
        self._cordoned |= {node.name for node in batch}
        cordon_batch(list(batch), self.plan, self.migration)
        side_by_side(self._one, batch, at_once=len(batch))
        why = stop.why()
        if why is not None:
            raise why
        if self.failures and (len(self.failures) > self.migration.spec.max_failures or self._critical(batch)):
            raise self._failed()

    def check_window(self, *, node: bool = True) -> None:
        """Raise WindowClosed where no step may begin a node, or, without `node`, anything at all.

        A node that an earlier run left half done waits too: it is said, and how it comes back before.
        """
        try:
            check_window(self.migration, self.outcomes.values(), self.left, node=node)
        except WindowClosed as closed:
            closed.state = "; ".join([*self.so_far.lefts, closed.state])
            half_done = [name for name in self.left if name in self.plan.half_done]
            back = " and ".join(f"cri-switch rollback {name} -f FILE --yes" for name in half_done)
            closed.next_step += f"; or at once back to Docker: {back}" if back else ""
            raise

    def _critical(self, batch: tuple[NodeRef, ...]) -> bool:
        """What `max_failures` never allows: the canary failed, a control-plane node, or one is not back on Docker."""
        lost = [name for name, problem in self.failures.items() if not rolled_back(problem)]
        if not self.migration.spec.dry_run and any(name not in self.outcomes for name in lost):
            return True
        here = any(node.name in self.failures for node in batch)
        return here and (batch == self.plan.canary or batch[0].role == "control-plane")

    def remove_docker(self) -> None:
        """Docker's packages, node by node, once the whole cluster is proven: not where a node has failed.

        Raises:
            WindowClosed: the window has ended; the next one removes what is left.
        """
        if self.migration.spec.remove_docker == "never" or self.failures:
            return
        for node in self.plan.finished_before:
            check_window(self.migration, (), (), node=False)
            self.removed[node.name] = remove_docker(open_attempt(node, self.migration, self.plan), self.migration)
        if self.migration.spec.remove_docker == "after_migration":
            for name in list(self.outcomes):
                check_window(self.migration, (), (), node=False)
                self._without_docker(name)

    def free(self) -> None:
        """What was cordoned with its batch and never begun is as it was, whatever the run came to."""
        names = self.so_far.only_cordoned
        if names and not self.migration.spec.dry_run:
            nodes = [node for node in self.plan.todo if node.name in names]
            self._cordoned -= set(free_batch(nodes, self.plan, self.migration))

    @property
    def so_far(self) -> RunSoFar:
        """What is known of the run now."""
        dry_run = self.migration.spec.dry_run
        return RunSoFar(self.plan, list(self.outcomes), dict(self.failures), stands(), self._cordoned, dry_run)

    @property
    def left(self) -> list[str]:
        """The nodes that have not arrived."""
        return [node.name for node in self.plan.todo if node.name not in self.outcomes]

    def cancelled(self) -> Stopped:
        """The run was asked to stop: it ends with where each node stands."""
        self.problem = problem = Stopped(
            "the run was cancelled",
            state=self.so_far.state,
            next_step=first_typed(self.failures) + "run the same command again: it resumes here",
        )
        return problem

    def conclude(self, report: Report) -> Report:
        """The report of a run that reached its end; raises what `concluded` raises."""
        problem = self.problem or (self._failed() if self.failures else None)
        return concluded(report, problem, self.so_far)

    def _one(self, node: NodeRef) -> None:
        """A node, noted at once as arrived or failed: a cancel that comes now knows it. A stop is no failure."""
        try:
            self.outcomes[node.name] = self._switched(node)
            if self.migration.spec.remove_docker == "after_node":
                self._without_docker(node.name)
        except (Stopped, LockHeld):
            raise
        except Exception as problem:
            self.failures[node.name] = problem
            raise

    def _switched(self, node: NodeRef) -> NodeOutcome:
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
            return outcome
        raise AssertionError("unreachable")

    def _without_docker(self, name: str) -> None:
        outcome = self.outcomes[name]
        result = remove_docker(outcome.attempt, self.migration)
        self.outcomes[name] = outcome.model_copy(update={"results": (*outcome.results, result)})

    def _failed(self) -> CriSwitchError:
        return failed(self.failures, self.outcomes, self.left)
