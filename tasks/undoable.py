"""Whether a node can be taken back to Docker, and which attempt that undoes."""

from __future__ import annotations

from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import NotProven
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.node.action import Action, perform
from cri_switch.node.actions.undo import refuse_without_docker
from cri_switch.node.before import Before, before_fact
from cri_switch.node.facts.machine import BOOT_ID
from cri_switch.node.home import HOME
from cri_switch.node.journal import journal_fact
from tasks import reach
from tasks.look import look


def ready_to_undo(node: NodeRef, migration: Migration, migration_id: str) -> Before:
    """How the node was before.

    Raises: NotProven, with nothing touched, where Docker's packages are gone, or this migration never had the node.
    """
    connection = reach.node(node, migration)

    def check() -> Action:
        yield from refuse_without_docker(before)
        return ""

    before = before_fact(migration_id).read(connection)
    perform(connection, check())
    if not (before.known or node.runtime.startswith("docker://") or journal_fact(migration_id).read(connection)):
        raise NotProven(
            f"{node.name} runs {node.runtime}, and migration {migration_id} has no record there: it never had it",
            state="nothing was touched",
            next_step="there is nothing to take back; if another migration switched it, name that one in"
            f" spec.migration_id: ssh {node.name} sudo ls {HOME}",
        )
    return before


@look
def last_attempt(node: NodeRef, migration: Migration, plan: Plan) -> Attempt:
    """The attempt that is to be undone: the journal's last one. Nothing is written.

    Raises: NotProven as `ready_to_undo` does.
    """
    reach.leave(node)
    connection = reach.node(node, migration)
    ready_to_undo(node, migration, plan.migration_id)
    entries = journal_fact(plan.migration_id).read(connection)
    return Attempt(
        cluster_uid=plan.cluster_uid,
        migration_id=plan.migration_id,
        node=node,
        number=max((entry.attempt for entry in entries), default=1),
        boot_id=BOOT_ID.read(connection),
    )
