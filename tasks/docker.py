"""Docker on a node: stopped in the article's place, its packages removed at their time."""

from __future__ import annotations

from cri_switch.cluster.mark import unmark
from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.node.actions.carry_images import stage_images
from cri_switch.node.actions.finish_jobs import finish_jobs
from cri_switch.node.actions.remove_docker import remove_docker as remove_packages
from cri_switch.node.actions.stop_docker import stop_docker as stop_containers
from cri_switch.node.reserve import release_reserve
from tasks import reach
from tasks.step import Outcome, step


@step
def stop_docker(attempt: Attempt, migration: Migration) -> Outcome:
    """Docker's containers stopped and removed, their network attachments given back, the service masked."""
    reach.act(attempt.node, migration, finish_jobs(migration))
    late = reach.act(attempt.node, migration, stage_images(migration, attempt))
    done = reach.act(attempt.node, migration, stop_containers(migration, migration_id=attempt.migration_id))
    return Outcome(done.summary, changed=late.changed + done.changed)


@step
def remove_docker(attempt: Attempt, migration: Migration) -> Outcome:
    """Docker's packages removed, never purged: its data stays."""
    reach.act(attempt.node, migration, finish_jobs(migration))
    done = reach.act(attempt.node, migration, remove_packages(migration, attempt))
    reach.act(attempt.node, migration, release_reserve(attempt.migration_id))
    unmark(reach.cluster(migration), attempt.node)
    return Outcome(done.summary, changed=done.changed)
