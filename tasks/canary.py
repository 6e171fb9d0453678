"""Whether this migration has switched a node before: then its canary has been, and what comes next is not it."""

from __future__ import annotations

from prefect import get_run_logger

from cri_switch.model.errors import CriSwitchError
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.node.journal import journal_fact
from tasks import reach
from tasks.look import look


@look
def canary_done(plan: Plan, migration: Migration) -> bool:
    """By the mark that a switched node has until Docker's packages are gone, and by the nodes' journals after that.

    A node on the target that does not answer may be one: a person is rather asked once too often.
    """
    if any(entry.switched for entry in plan.nodes):
        return True
    there = [entry.node for entry in plan.nodes if entry.node.runtime.startswith(f"{plan.target}://")]
    return any(_was_switched(node, plan, migration) for node in there if node.name not in plan.half_done)


def _was_switched(node: NodeRef, plan: Plan, migration: Migration) -> bool:
    try:
        entries = journal_fact(plan.migration_id).read(reach.node(node, migration))
    except CriSwitchError as problem:
        get_run_logger().warning("node=%s is taken for switched by this migration: %s", node.name, problem.what)
        return True
    return any(entry.step == "settle" and entry.event in ("done", "noop") for entry in entries)
