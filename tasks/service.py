"""Out of service and back: cordon, drain, uncordon, settle."""

from __future__ import annotations

import time
from typing import Any

from prefect import get_run_logger

from cri_switch.cluster.cordon import cordon as cordon_node
from cri_switch.cluster.cordon import uncordon as uncordon_node
from cri_switch.cluster.drain import EvictedPod, select
from cri_switch.cluster.drain import drain as drain_node
from cri_switch.cluster.mark import mark, mark_migrated
from cri_switch.cluster.pods import title
from cri_switch.cluster.probe import clear_probes
from cri_switch.cluster.settle import settled
from cri_switch.cluster.taint import remove_waiting_taint
from cri_switch.cluster.workloads import controllers_on, with_earlier
from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.model.step_result import StepResult
from cri_switch.node.actions.note_before import note_cluster
from cri_switch.node.before import before_fact
from tasks import reach, stop
from tasks.left_pending import waiting_for_uncordon
from tasks.step import DRY, Outcome, step


@step
def cordon(attempt: Attempt, migration: Migration) -> Outcome:
    """No new pods on the node. What ran there before is noted: settle and the proof compare with it.

    Noted on the node too: after a reboot the next attempt asks for what the first one's drain took away.
    """
    api = reach.cluster(migration)
    mark(api, attempt.node, attempt.migration_id)
    before = before_fact(attempt.migration_id).read(reach.node(attempt.node, migration))
    earlier = before.cluster if "controllers" in before.cluster else {}  # else no attempt since has come to its cordon
    noted = with_earlier(controllers_on(api, attempt.node), earlier)
    reach.act(attempt.node, migration, note_cluster(attempt.migration_id, noted))
    line = cordon_node(api, attempt.node, attempt.migration_id)
    data: dict[str, Any] = {"runtime_before": attempt.node.runtime, **noted}
    return Outcome(line, changed=0 if line.endswith("already cordoned") else 1, data=data)


@step
def drain(attempt: Attempt, migration: Migration) -> Outcome:
    """kubectl's drain: evict what a controller makes anew elsewhere."""
    logger = get_run_logger()
    if migration.spec.dry_run:
        chosen = select(reach.cluster(migration), attempt.node, migration.spec.drain, time.time())
        for pod in chosen.to_delete:
            logger.info("node=%s evicting pod %s (dry run)", attempt.node.name, title(pod))
        return Outcome(f"{len(chosen.to_delete)} pods would be evicted", data={"evicted": []})
    api = reach.cluster(migration)
    clear_probes(api, attempt.node, stop=stop.stopping, sleep=stop.sleep)
    result = drain_node(
        api,
        attempt.node,
        migration.spec.drain,
        say=lambda line: logger.info("node=%s %s", attempt.node.name, line),
        stop=stop.stopping,
        sleep=stop.sleep,
    )
    evicted = [pod.as_dict() for pod in result.evicted]
    return Outcome(f"{len(evicted)} pods evicted", changed=len(evicted), data={"evicted": evicted})


@step
def uncordon(attempt: Attempt, migration: Migration) -> Outcome:
    """New pods again, unless an administrator had cordoned the node."""
    api = reach.cluster(migration)
    remove_waiting_taint(api, attempt.node, attempt.migration_id)
    line = uncordon_node(api, attempt.node, attempt.migration_id)
    return Outcome(line, changed=1 if line.endswith(" uncordoned") and "already" not in line else 0)


@step
def settle(attempt: Attempt, migration: Migration, before: StepResult, drained: StepResult) -> Outcome:
    """Every controller that lost a pod has its count again, the volumes are let go: only then comes the next node."""
    if migration.spec.dry_run:
        return Outcome(DRY)
    api = reach.cluster(migration)
    evicted = [EvictedPod.from_dict(pod) for pod in drained.data["evicted"]]
    summary = settled(
        api,
        attempt.node,
        evicted,
        controllers=before.data["controllers"],
        seconds=migration.spec.timeouts.settle,
        kept=waiting_for_uncordon(api.impatient()),
        stop=stop.stopping,
        sleep=stop.sleep,
    )
    mark_migrated(api, attempt.node, attempt.migration_id)
    return Outcome(summary, changed=1)
