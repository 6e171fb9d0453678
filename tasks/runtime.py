"""The target runtime on a node: installed, configured, started; its images staged before."""

from __future__ import annotations

from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.node.actions.carry_images import import_images, stage_images
from cri_switch.node.actions.configure_runtime import configure_runtime as configure
from cri_switch.node.actions.finish_jobs import finish_jobs
from cri_switch.node.actions.install_runtime import install_runtime as install
from cri_switch.node.actions.stage_packages import stage_packages
from cri_switch.node.actions.start_runtime import start_runtime as start
from tasks import reach
from tasks.step import Outcome, step


@step
def stage(attempt: Attempt, migration: Migration) -> Outcome:
    """Before the node is touched: packages downloaded, images carried or saved."""
    reach.act(attempt.node, migration, finish_jobs(migration))
    packages = reach.act(attempt.node, migration, stage_packages(migration, attempt))
    images = reach.act(attempt.node, migration, stage_images(migration, attempt))
    return Outcome(f"{packages.summary}; {images.summary}", changed=packages.changed + images.changed)


@step
def install_runtime(attempt: Attempt, migration: Migration) -> Outcome:
    """The distribution's package, marked manual."""
    reach.act(attempt.node, migration, finish_jobs(migration))
    done = reach.act(attempt.node, migration, install(migration, attempt))
    return Outcome(done.summary, changed=done.changed)


@step
def configure_runtime(attempt: Attempt, migration: Migration) -> Outcome:
    """CRI plugin on, cgroup driver and pause image the kubelet's, registries carried over."""
    done = reach.act(
        attempt.node,
        migration,
        configure(migration, migration_id=attempt.migration_id, kubelet_version=attempt.node.kubelet_version),
    )
    return Outcome(done.summary, changed=done.changed)


@step
def start_runtime(attempt: Attempt, migration: Migration) -> Outcome:
    """Enabled, started, healthy; every carried image in its store."""
    done = reach.act(attempt.node, migration, start(migration))
    images = reach.act(attempt.node, migration, import_images(migration, attempt))
    return Outcome(f"{done.summary}; {images.summary}", changed=done.changed + images.changed)
