"""The whole migration: look, back up, stage, the workers, the control plane, prove, remove Docker, report."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Cancelled

from cri_switch.model.errors import CriSwitchError, LockHeld, Moved, NodeFailed, Stopped, WindowClosed
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.model.planned_run import PlannedRun, moved_files, moved_nodes, moved_runtimes
from cri_switch.model.report import Report
from flows.batch import Batches
from flows.discovered import discovered
from flows.ended import CANCELS, NOT_FAILED, ended, told
from flows.first_checks import first_checks
from flows.side_by_side import side_by_side
from flows.turn import Turn
from tasks import reach, stop
from tasks.backup import backup
from tasks.bug import as_bug
from tasks.finish import finish
from tasks.gate import gate
from tasks.hold import end_holds, mend_holds
from tasks.lateness import too_late
from tasks.lock import locked
from tasks.memory import remember
from tasks.open_attempt import open_attempt
from tasks.plan import plan_nodes
from tasks.report import publish, publish_plan
from tasks.runtime import stage
from tasks.taints import clear_taints, taint_waiting
from tasks.verify_cluster import note_workloads, verify_cluster


@flow(name="migrate-cluster", flow_run_name="{migration.metadata.name}", persist_result=False)
def migrate_cluster(migration: Migration) -> Report | State[Report]:
    """Switch every chosen node from Docker to the target runtime, workers first, and remove Docker at the end.

    Raises:
        PreflightError, BackupFailed, LockHeld: nothing was touched. The findings are a PreflightError's `report`.
        NodeFailed: at least one node did not arrive; the report is its `report`.
        Moved: all chosen nodes arrived, but nodes joined, left or were re-created meanwhile.
        Stopped, WindowClosed, NotApproved: it did not reach its end; as a deployment's run, a state of that name.
    """
    stop.begin()
    late = too_late(migration)
    if late:
        return Cancelled(name="WindowMissed", message=late)
    return run(migration)


def run(migration: Migration, as_planned: PlannedRun | None = None) -> Report | State[Report]:
    """The run itself; with `as_planned` exactly that plan."""
    begun: Batches | None = None

    def state() -> str:
        if begun is not None:
            return begun.so_far.state
        return "nothing was touched" if migration.spec.dry_run else "this run took no node out of service"

    with told(state), stop.listening(), reach.all_closed():
        try:
            begun, turn = _looked(migration, as_planned)
            return _migrate(begun, turn)
        except NOT_FAILED as problem:
            return ended(problem.completed(state()))
        except CANCELS:
            stop.heard()
            if begun is None:
                return ended(Stopped("the run was cancelled").completed(state()))
            return ended(begun.cancelled())


def _looked(migration: Migration, as_planned: PlannedRun | None) -> tuple[Batches, Turn]:
    """The plan and everything that may refuse it, before anything is touched."""
    found = discovered(migration)
    plan = plan_nodes(found, migration)
    publish_plan(migration.metadata.name, plan)
    if as_planned is not None:
        _refuse_moved(moved_nodes(as_planned, plan))
    looked = first_checks(found, plan, migration)
    if as_planned is not None:
        _refuse_moved([*moved_runtimes(as_planned, looked.runtimes), *moved_files(as_planned, looked.files)])
    batches = Batches(plan, migration)
    turn = Turn(batches, migration)
    turn.begin()
    return batches, turn


def _migrate(batches: Batches, turn: Turn) -> Report:
    plan, migration = batches.plan, batches.migration
    with locked(migration, plan.migration_id):
        remember(plan, migration)
        mend_holds(plan, migration)
        saved = backup(plan, migration)
        workloads = note_workloads(migration)
        try:
            if plan.todo:
                batches.check_window()
            taint_waiting(plan, migration)
            _stage(batches)
            for batch in batches.in_turn():
                turn.next(batch)
                batches.run(batch)
                gate(migration, workloads)
            turn.next(())
            verify_cluster(plan, migration, workloads, list(batches.failures))
            batches.remove_docker()
        except CANCELS:
            stop.heard()
            batches.cancelled()
        except Exception as problem:  # a bug too has its report, and leaves no taint
            bug = as_bug(problem)
            if bug is None:
                raise
            batches.problem = stop.why() or bug
        try:
            report = _told(batches, turn, saved)
        except CANCELS:
            stop.heard()
            if batches.problem is None:
                batches.cancelled()
            report = _told(batches, turn, saved)
        return batches.conclude(report)


def _told(batches: Batches, turn: Turn, saved: str) -> Report:
    """Nothing is left in the API that only this run needs, and the report; where the Lease is lost, all is left."""
    plan, migration, mine = batches.plan, batches.migration, not isinstance(stop.why(), LockHeld)
    if mine:
        batches.free()
    report = finish(plan, migration, batches.outcomes, batches.removed, batches.so_far.ends, saved)
    more = _tidied(plan, migration, away=bool(report.warnings)) if mine else []
    return publish(report.model_copy(update={"approvals": turn.approvals, "warnings": [*report.warnings, *more]}))


def _tidied(plan: Plan, migration: Migration, *, away: bool) -> list[str]:
    """No taint, no hold; or that some may be left. An API that was just `away` is not waited for once more."""
    left = "taints of waiting nodes and held DaemonSets may be left: the next run takes them away"
    if away:
        return [left]
    try:
        clear_taints(plan, migration)
        end_holds(migration)
    except CriSwitchError as problem:
        return [f"{left}: {problem.what}"]
    return []


def _refuse_moved(lines: list[str]) -> None:
    """Raise Moved where a saved plan is not what would be planned now."""
    if lines:
        raise Moved(
            "\n".join(["the facts have moved since the plan was saved:", *lines]),
            state="nothing was touched",
            next_step="plan again and look at it: cri-switch plan -f FILE --out PLAN",
        )


def _stage(batches: Batches) -> None:
    """Download packages and carry images, a few nodes at a time, nothing disturbed."""
    plan, migration = batches.plan, batches.migration

    def one(node: NodeRef) -> None:
        batches.check_window()
        stage(open_attempt(node, migration, plan), migration)

    answers = side_by_side(one, plan.todo, at_once=migration.spec.stage_parallelism)
    for _, answer in answers:
        if isinstance(answer, WindowClosed):
            raise answer
    problems = [f"{node.name}: {answer}" for node, answer in answers if isinstance(answer, Exception)]
    if problems:
        raise NodeFailed(
            "staging failed; no node was taken out of service by this run:\n" + "\n".join(problems),
            next_step="mend what is named and run the same command again",
        )
