"""The plan of a run, from what was discovered."""

from __future__ import annotations

from cri_switch.model.batches import batches
from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan, node_plan
from tasks.discover import Discovery
from tasks.look import look


@look
def plan_nodes(found: Discovery, migration: Migration) -> Plan:
    """Which nodes, in which order; nothing is asked of anybody."""
    spec = migration.spec
    nodes = [
        node_plan(
            node, spec, in_progress=node.name in found.half_done, selected=node.name in found.selected
        ).model_copy(
            update={
                "switched": node.name in found.switched,
                "remove_docker": spec.remove_docker != "never" and node.name in found.switched,
                "zone": found.zones.get(node.name, ""),
            }
        )
        for node in found.nodes
    ]
    return Plan(
        cluster_uid=found.cluster_uid,
        migration_id=found.migration_id,
        target=spec.target.runtime,
        nodes=tuple(nodes),
        batches=batches(nodes, spec),
    )
