"""One node back to Docker, at any time until Docker's packages are gone."""

from __future__ import annotations

from prefect import flow

from cri_switch.model.errors import ControlPlaneNotWell, CriSwitchError, DrainBlocked, Stopped, UsageError
from cri_switch.model.migration import Migration
from cri_switch.model.node_end import NodeEnd
from cri_switch.model.report import Report
from flows.discovered import discovered
from flows.ended import CANCELS, told
from tasks import reach, stop
from tasks.control_plane import may_go_back
from tasks.finish import finish
from tasks.lock import in_hand, locked
from tasks.off_nodes import refuse_on_a_node
from tasks.plan import plan_nodes
from tasks.report import publish
from tasks.rollback import rollback, undo_begun
from tasks.undoable import last_attempt
from tasks.undone import failed


def _where(name: str) -> str:
    """How far the way back of a node came that is stopped, or ends before it is begun."""
    half = "it may be half way back to Docker"
    return half if undo_begun(name) else f"{name} runs what it ran; it may be cordoned"


@flow(name="rollback-node", flow_run_name="{node}", persist_result=False)
def rollback_node(migration: Migration, node: str) -> Report:
    """Cordon and drain the node where it serves, undo what this migration did, uncordon it.

    Raises:
        UsageError: the cluster has no such node.
        PreflightError: this process runs on a node of the cluster; nothing was touched.
        NotProven: Docker's packages are gone, or this migration never had the node; nothing was touched.
        DrainBlocked, ControlPlaneNotWell: the node serves on the new runtime still.
        RollbackFailed: the node is unhealthy; what is said next is the command to type.
    """
    stop.begin()
    with told(lambda: f"{node} is as it was"), stop.listening(), reach.all_closed():
        try:
            return _rollback(migration, node)
        except CANCELS:
            stop.heard()
            raise Stopped(
                f"the rollback of {node} was cancelled",
                state=_where(node),
                next_step="the same command again: it goes on",
            ) from None


def _rollback(migration: Migration, name: str) -> Report:
    found = discovered(migration, name)
    refuse_on_a_node(migration)
    plan = plan_nodes(found, migration)
    ref = next((each for each in found.nodes if each.name == name), None)
    if ref is None:
        raise UsageError(f"the cluster has no node {name}", next_step="kubectl get nodes")
    with locked(migration, plan.migration_id), in_hand(ref, plan):
        attempt = last_attempt(ref, migration, plan)
        may_go_back(ref, plan, migration)
        problem: CriSwitchError | None = None
        try:
            said = rollback(attempt, migration, "asked for", asked_in=plan)
        except (DrainBlocked, ControlPlaneNotWell):
            raise
        except Stopped as stopped:
            raise (stop.why() or stopped).completed(_where(name)) from None
        except CriSwitchError as first:
            if not undo_begun(name):
                first.completed(_where(name))
                raise
            problem, said = failed(ref, migration, first), ""
        end = NodeEnd("unhealthy" if problem else "rolled-back", str(problem or said))
        only = plan.model_copy(update={"nodes": tuple(each for each in plan.nodes if each.node == ref)})
        report = publish(finish(only, migration, {}, {}, {name: end}, ""))
    report = report.model_copy(update={"moved": []})
    if problem is not None:
        problem.report = report
        raise problem
    return report
