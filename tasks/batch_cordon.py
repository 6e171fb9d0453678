"""A batch is cordoned whole before its first drain: else pods hop onto the next victim."""

from __future__ import annotations

from prefect import get_run_logger

from cri_switch.cluster.cordon import cordon as cordon_node
from cri_switch.cluster.cordon import uncordon as uncordon_node
from cri_switch.cluster.inventory import same_node
from cri_switch.cluster.mark import mark, uncordoned_on, unmark
from cri_switch.model.errors import CriSwitchError
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from tasks import reach
from tasks.look import look


@look
def cordon_batch(batch: list[NodeRef], plan: Plan, migration: Migration) -> None:
    """Cordon every node of the batch; the node's own step finds it done.

    Not one that a killed run had uncordoned already on the new runtime: its uncordon is a checkpoint and would not be
    executed again. Where its steps begin anew after all, its own cordon does it.
    """
    api = reach.cluster(migration)
    for node in batch:
        if uncordoned_on(same_node(api, node), plan.migration_id, migration.spec.target.runtime):
            get_run_logger().info("node/%s serves on the new runtime already: not cordoned again", node.name)
            continue
        mark(api, node, plan.migration_id)
        get_run_logger().info(cordon_node(api, node, plan.migration_id))


@look
def free_batch(nodes: list[NodeRef], plan: Plan, migration: Migration) -> list[str]:
    """Nodes that were cordoned with their batch and never begun, as they were; the names of those that are.

    One that cannot be freed is told in the log; it keeps its mark, so the next run goes on with it.
    """
    logger, freed = get_run_logger(), []
    for node in nodes:
        try:
            api = reach.cluster(migration)
            logger.info("%s: it was not begun", uncordon_node(api, node, plan.migration_id))
            unmark(api, node)
        except CriSwitchError as problem:
            logger.warning("node=%s stays cordoned, the next run goes on with it: %s", node.name, problem.what)
        else:
            freed.append(node.name)
    return freed
