"""Look, and change nothing: which nodes would be switched, in which order, and what stands in the way."""

from __future__ import annotations

from prefect import flow, get_run_logger

from cri_switch.model.errors import CriSwitchError
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import FileChange, Plan, grouped
from cri_switch.model.planned_run import PlannedRun
from flows.ended import told
from flows.first_checks import look_first
from flows.side_by_side import side_by_side
from tasks import reach, stop
from tasks.discover import discover
from tasks.plan import plan_nodes
from tasks.plan_files import plan_files
from tasks.planned_run import planned_run
from tasks.preflight import verdict
from tasks.report import publish_diff, publish_plan


@flow(name="plan-cluster", flow_run_name="{migration.metadata.name}", persist_result=False)
def plan_cluster(migration: Migration, diff: bool = False) -> PlannedRun:
    """The plan of a migration, read-only; with `diff` also what would change in every file of every node.

    Raises:
        PreflightError: a check found a reason not to start; the plan, with what would change on the nodes that can be
            read, is its `report` and in the run's artifacts.
    """
    stop.begin()
    with told(lambda: "nothing was touched"), reach.all_closed():
        found = discover(migration)
        plan = plan_nodes(found, migration)
        looked = look_first(found, plan, migration)
        planned = planned_run(plan, migration, looked.findings, looked.runtimes, looked.files)
        publish_plan(migration.metadata.name, planned)
        problem = verdict(looked.findings)
        if diff:
            readable = [node for node in plan.todo if looked.files.get(node.name)]
            planned = planned.model_copy(
                update={"files": _files(readable, plan, migration, errors=problem is not None)}
            )
            publish_diff(migration.metadata.name, planned)
        if problem is not None:
            problem.report = planned
            raise problem
        return planned


def _files(nodes: list[NodeRef], plan: Plan, migration: Migration, *, errors: bool) -> tuple[FileChange, ...]:
    """What would change on these nodes; where there are errors a node whose files cannot be told is left out."""

    def one(node: NodeRef) -> list[FileChange]:
        return plan_files(node, migration, plan)

    changes: list[FileChange] = []
    for node, answer in side_by_side(one, nodes, at_once=16):
        if isinstance(answer, CriSwitchError) and errors:
            get_run_logger().warning("node=%s what would change in its files cannot be told: %s", node, answer.what)
        elif isinstance(answer, Exception):
            raise answer
        else:
            changes += answer
    return grouped(changes)
