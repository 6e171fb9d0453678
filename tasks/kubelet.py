"""The kubelet: stopped, pointed at the new runtime, started, and waited for."""

from __future__ import annotations

from cri_switch.cluster.node_status import wait_runtime
from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan
from cri_switch.node.actions.configure_kubelet import configure_kubelet as configure
from cri_switch.node.actions.retire_docker import retire_docker
from cri_switch.node.actions.start_kubelet import start_kubelet as start
from cri_switch.node.actions.stop_kubelet import stop_kubelet as stop_service
from cri_switch.node.facts.kubelet import KUBELET_STARTED
from cri_switch.node.journal import journal_fact
from tasks import reach, stop
from tasks.control_plane import may_still_go_out
from tasks.followed import followed
from tasks.step import Outcome, step


@step
def stop_kubelet(attempt: Attempt, migration: Migration, plan: Plan) -> Outcome:
    """systemctl stop kubelet, checked; on a control-plane node only where etcd keeps its quorum still.

    Where the results of a killed run are lost the node's journal says that this attempt has begun to start it again:
    it may run on the new runtime already, and is not stopped once more.
    """
    entries = journal_fact(attempt.migration_id).read(reach.node(attempt.node, migration))
    if any(entry.attempt == attempt.number and entry.step == "start_kubelet" for entry in entries):
        return Outcome("kubelet was stopped before, by the journal, and its start was begun")
    may_still_go_out(attempt.node, plan, migration)
    done = reach.act(attempt.node, migration, stop_service(migration))
    return Outcome(done.summary, changed=done.changed)


@step
def configure_kubelet(attempt: Attempt, migration: Migration) -> Outcome:
    """The flags in kubeadm-flags.env."""
    action = configure(migration, migration_id=attempt.migration_id, kubelet_version=attempt.node.kubelet_version)
    done = reach.act(attempt.node, migration, action)
    return Outcome(done.summary, changed=done.changed)


@step
def start_kubelet(attempt: Attempt, migration: Migration) -> Outcome:
    """Started, and Ready on the new runtime; then dockerd, empty until now, goes too."""
    begun = reach.act(attempt.node, migration, start(migration))
    if migration.spec.dry_run:
        retired = reach.act(attempt.node, migration, retire_docker(migration))
        return Outcome(f"{begun.summary}; {retired.summary}", changed=begun.changed + retired.changed)
    with followed(attempt.node, migration):
        started_at = KUBELET_STARTED.read(reach.node(attempt.node, migration))
        seen = wait_runtime(
            reach.cluster(migration),
            attempt.node,
            runtime=migration.spec.target.runtime,
            newer_than=started_at,
            seconds=migration.spec.timeouts.node_ready,
            stop=stop.stopping,
            sleep=stop.sleep,
        )
    retired = reach.act(attempt.node, migration, retire_docker(migration))
    return Outcome(
        f"{begun.summary}; Ready on {seen}; {retired.summary}",
        changed=begun.changed + retired.changed,
        data={"kubelet_started": started_at, "runtime": seen},
    )
