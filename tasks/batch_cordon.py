"""A batch is cordoned whole before its first drain: else pods hop onto the next victim."""

from __future__ import annotations

from prefect import get_run_logger

from cri_switch.cluster.cordon import cordon as cordon_node
from cri_switch.cluster.mark import mark
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from tasks import reach
from tasks.look import look


@look
def cordon_batch(batch: list[NodeRef], plan: Plan, migration: Migration) -> None:
    """Cordon every node of the batch; the node's own step finds it done."""
    api = reach.cluster(migration)
    for node in batch:
        mark(api, node, plan.migration_id)
        get_run_logger().info(cordon_node(api, node, plan.migration_id))
