"""The taint of nodes that wait their turn: evicted pods should not land on the next victim."""

from __future__ import annotations

from prefect import get_run_logger

from cri_switch.cluster.taint import add_waiting_taint, remove_waiting_taint
from cri_switch.model.errors import ApiError, Moved
from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan
from tasks import reach
from tasks.look import look


@look
def taint_waiting(plan: Plan, migration: Migration) -> None:
    """Every node of the plan waits, with PreferNoSchedule."""
    api = reach.cluster(migration)
    for node in plan.todo:
        add_waiting_taint(api, node, plan.migration_id)


@look
def clear_taints(plan: Plan, migration: Migration) -> None:
    """No node carries our taint any more, whatever the run came to; also what a killed run left.

    A node on which that is refused is told in the log, and the others have theirs taken away.
    """
    api = reach.cluster(migration)
    for entry in plan.nodes:
        try:
            remove_waiting_taint(api, entry.node, plan.migration_id)
        except (Moved, ApiError) as problem:  # that a node moved is in the report too
            get_run_logger().warning("node=%s keeps what it has: %s", entry.node.name, problem.what)
