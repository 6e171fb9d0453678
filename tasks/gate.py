"""Between batches: the cluster as a whole must be well before the next nodes go."""

from __future__ import annotations

from prefect import get_run_logger

from cri_switch.cluster.blockers import wait_unblocked
from cri_switch.cluster.gate import gate as wait_gate
from cri_switch.cluster.snapshot import WorkloadSnapshot
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from tasks import reach, stop
from tasks.left_pending import waiting_for_uncordon
from tasks.look import look


@look
def gate(migration: Migration, before: WorkloadSnapshot) -> str:
    """All nodes Ready, no pod newly failing, budgets as before, several checks in a row."""
    api = reach.cluster(migration)
    return wait_gate(
        api,
        before=before,
        seconds=migration.spec.gate.timeout,
        checks=migration.spec.gate.checks,
        kept=waiting_for_uncordon(api.impatient()),
        say=get_run_logger().info,
        stop=stop.stopping,
        sleep=stop.sleep,
    )


@look
def unblocked(batch: list[NodeRef], migration: Migration) -> None:
    """Wait until no pod and no alert holds the batch back. Raises GateClosed after gate.timeout."""
    wanted = migration.spec.gate
    wait_unblocked(
        reach.cluster(migration),
        [node.name for node in batch],
        selectors=wanted.blocking_pod_selector,
        prometheus=wanted.prometheus,
        seconds=wanted.timeout,
        say=get_run_logger().info,
        stop=stop.stopping,
        sleep=stop.sleep,
    )
