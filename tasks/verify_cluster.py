"""The cluster before and after, as a whole."""

from __future__ import annotations

from cri_switch.cluster.snapshot import WorkloadSnapshot, take_snapshot, wait_whole
from cri_switch.model.errors import NotProven
from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan
from tasks import reach, stop
from tasks.left_pending import waiting_for_uncordon
from tasks.look import look
from tasks.step import DRY


@look
def note_workloads(migration: Migration) -> WorkloadSnapshot:
    """Every controller's wanted and ready counts before anything is touched."""
    return take_snapshot(reach.cluster(migration))


@look
def verify_cluster(plan: Plan, migration: Migration, before: WorkloadSnapshot, failed: list[str]) -> str:
    """Every chosen node but those that `failed` reports the target, every controller that was whole is whole again.

    Raises:
        NotProven: something is not; Docker's packages stay.
    """
    if migration.spec.dry_run:
        return DRY
    api = reach.cluster(migration)
    target = f"{migration.spec.target.runtime}://"
    chosen = {node.name for node in plan.todo} - set(failed)
    wrong = []
    for node in api.list("Node"):
        runtime = node["status"]["nodeInfo"]["containerRuntimeVersion"]
        if node["metadata"]["name"] in chosen and not runtime.startswith(target):
            wrong.append(f"{node['metadata']['name']} reports {runtime}")
    if wrong:
        raise NotProven(
            "; ".join(wrong),
            state="Docker's packages were not removed",
            next_step="run the same command again: it plans these nodes anew",
        )
    return wait_whole(
        api,
        before,
        seconds=migration.spec.timeouts.settle,
        kept=waiting_for_uncordon(api.impatient()),
        stop=stop.stopping,
        sleep=stop.sleep,
    )
