"""Between batches: the cluster as a whole must be well before the next nodes go."""

from __future__ import annotations

from cri_switch.cluster.gate import gate as wait_gate
from cri_switch.cluster.snapshot import WorkloadSnapshot
from cri_switch.model.migration import Migration
from tasks import reach, stop
from tasks.look import look


@look
def gate(migration: Migration, before: WorkloadSnapshot) -> str:
    """All nodes Ready, no pod newly failing, several checks in a row."""
    return wait_gate(
        reach.cluster(migration),
        before=before,
        seconds=migration.spec.timeouts.settle,
        stop=stop.stopping,
        sleep=stop.sleep,
    )
