"""Look once more and write down how every node stands."""

from __future__ import annotations

from collections.abc import Mapping

from cri_switch.cluster.inventory import inventory, moved
from cri_switch.model.errors import CriSwitchError
from cri_switch.model.migration import Migration
from cri_switch.model.node_end import NodeEnd
from cri_switch.model.node_outcome import NodeOutcome
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan, Plan
from cri_switch.model.report import NodeReport, Report
from cri_switch.model.step_result import StepResult
from tasks import reach
from tasks.look import look


def _row(entry: NodePlan, after: str, outcome: NodeOutcome | None, end: NodeEnd | None, *, dry_run: bool) -> NodeReport:
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
        return row
    if outcome is not None:
        row.runtime_before = str(outcome.results[0].data["runtime_before"])
        row.out_of_service_seconds = outcome.out_of_service
        row.cordoned_seconds = outcome.cordoned
        row.steps = outcome.seconds()
    if end is not None:
        row.outcome, row.reason = end.outcome, end.reason or entry.reason
    elif entry.action == "skip":
        row.outcome = "skipped"
    return row


@look
def nodes_now(migration: Migration) -> list[NodeRef]:
    """What the API says of every node now. Raises ApiError, Unreachable."""
    return inventory(reach.cluster(migration))


def finish(
    plan: Plan,
    migration: Migration,
    outcomes: Mapping[str, NodeOutcome],
    removed: Mapping[str, StepResult],
    ends: Mapping[str, NodeEnd],
    backup: str,
) -> Report:
    """The report, from the outcomes, how the run leaves its nodes, and what the API says of them now.

    `removed` are steps on nodes of which this run has no outcome.

    An API that does not answer is a warning in it: that must not hide how the run ended.
    """
    now: list[NodeRef] | None = None
    warnings = []
    try:
        now = nodes_now(migration)
    except CriSwitchError as problem:
        warnings = [f"the API was not asked how the nodes are now: {problem.what}"]
    after = {node.name: node.runtime for node in now or ()}
    rows = [
        _row(
            n,
            after.get(n.node.name, ""),
            outcomes.get(n.node.name),
            ends.get(n.node.name),
            dry_run=migration.spec.dry_run,
        )
        for n in plan.nodes
    ]
    for row in rows:
        if row.name in removed:
            row.steps[removed[row.name].step] = round(removed[row.name].seconds, 2)
    return Report(
        migration=migration.metadata.name,
        migration_id=plan.migration_id,
        cluster_uid=plan.cluster_uid,
        target=plan.target,
        nodes=rows,
        moved=[] if now is None else moved([n.node for n in plan.nodes], now),
        warnings=warnings,
        backup=backup,
    )
