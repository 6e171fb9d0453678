"""Look once more and write down how every node stands."""

from __future__ import annotations

from cri_switch.cluster.inventory import inventory, moved
from cri_switch.model.migration import Migration
from cri_switch.model.node_outcome import NodeOutcome
from cri_switch.model.plan import NodePlan, Plan
from cri_switch.model.report import NodeReport, Outcome, Report
from tasks import reach
from tasks.look import look


def _row(
    entry: NodePlan, after: str, outcome: NodeOutcome | None, failure: str, ended: Outcome, dry_run: bool
) -> NodeReport:
    row = NodeReport(
        name=entry.node.name,
        role=entry.node.role,
        kubelet_version=entry.node.kubelet_version,
        runtime_before=entry.node.runtime,
        runtime_after=after,
        reason=entry.reason,
    )
    if outcome is not None and dry_run:
        row.reason, row.steps = "dry run: nothing was changed", outcome.seconds()
    elif outcome is not None:
        row.outcome = "migrated"
        row.runtime_before = str(outcome.results[0].data["runtime_before"])
        row.out_of_service_seconds = outcome.out_of_service
        row.cordoned_seconds = outcome.cordoned
        row.steps = outcome.seconds()
    elif failure:
        row.outcome, row.reason = ended, failure
    elif entry.action == "skip":
        row.outcome = "skipped"
    return row


@look
def finish(
    plan: Plan,
    migration: Migration,
    outcomes: dict[str, NodeOutcome],
    failures: dict[str, str],
    backup: str,
    ended: dict[str, Outcome] | None = None,
) -> Report:
    """The report, from the outcomes and from what the API says of every node now.

    `ended` says of a failure whether the node is back on Docker or unhealthy.
    """
    now = inventory(reach.cluster(migration))
    after = {node.name: node.runtime for node in now}
    rows = [
        _row(
            n,
            after.get(n.node.name, ""),
            outcomes.get(n.node.name),
            failures.get(n.node.name, ""),
            (ended or {}).get(n.node.name, "failed"),
            migration.spec.dry_run,
        )
        for n in plan.nodes
    ]
    return Report(
        migration=migration.metadata.name,
        migration_id=plan.migration_id,
        cluster_uid=plan.cluster_uid,
        target=plan.target,
        nodes=rows,
        moved=moved([n.node for n in plan.nodes], now),
        backup=backup,
    )
