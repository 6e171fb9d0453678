"""Which attempt this is: a checkpoint is trusted only while it is true (DESIGN rule 2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from prefect import get_run_logger
from prefect.runtime import flow_run

from cri_switch.cluster.annotate import cri_socket
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.drain import select
from cri_switch.cluster.inventory import same_node
from cri_switch.cluster.pods import is_finished
from cri_switch.cluster.workloads import controllers_on
from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import DrainBlocked
from cri_switch.model.migration import Drain, Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.node.action import Action
from cri_switch.node.actions.configure_kubelet import configure_kubelet
from cri_switch.node.actions.configure_runtime import configure_runtime
from cri_switch.node.actions.install_runtime import install_runtime
from cri_switch.node.actions.note_before import note_before
from cri_switch.node.actions.start_runtime import start_runtime
from cri_switch.node.actions.stop_docker import stop_docker
from cri_switch.node.actions.stop_kubelet import stop_kubelet
from cri_switch.node.facts.machine import BOOT_ID
from cri_switch.node.journal import Entry, append, journal_fact, next_attempt
from tasks import reach
from tasks.look import look


@look
def open_attempt(node: NodeRef, migration: Migration, plan: Plan) -> Attempt:
    """Read journal, boot id and facts; a reboot, a rollback or an effect that is gone raises the attempt.

    Never cached. What a recorded step did still holds when a dry run of the same step would change nothing.
    """
    logger = get_run_logger()
    reach.leave(node)
    found = same_node(reach.cluster(migration), node)
    connection = reach.node(node, migration)
    boot_id = BOOT_ID.read(connection)
    entries = journal_fact(plan.migration_id).read(connection)
    last = next_attempt(entries, boot_id, effects_true=True)

    def attempt(number: int, opened: float = 0.0) -> Attempt:
        return Attempt(
            cluster_uid=plan.cluster_uid,
            migration_id=plan.migration_id,
            node=node,
            number=number,
            boot_id=boot_id,
            opened=opened,
        )

    mine = [entry for entry in entries if entry.attempt == last]
    done = [entry.step for entry in mine if entry.event in ("done", "noop")]
    gone = _gone(attempt(last), migration, done, [entry.step for entry in mine])
    number = next_attempt(entries, boot_id, effects_true=not gone)
    if gone:
        logger.warning("node=%s what was done is gone (%s): attempt %d begins anew", node.name, ", ".join(gone), number)
    if not migration.spec.dry_run and not any(e.attempt == number and e.event == "done" for e in entries):
        _note(attempt(number), migration, found)
    opened = next((entry.time for entry in entries if entry.attempt == number), time.time())
    if not migration.spec.dry_run and not any(entry.attempt == number for entry in entries):
        run = str(flow_run.get_id() or "")
        append(
            connection, plan.migration_id, Entry(opened, run, number, "open_attempt", "opened", node.runtime, boot_id)
        )
    logger.info("node=%s attempt=%d", node.name, number)
    return attempt(number, opened)


def _note(attempt: Attempt, migration: Migration, found: Obj) -> None:
    """How the node is before the first change; once, and only while it is on Docker."""
    if not found["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("docker://"):
        return
    api = reach.cluster(migration)
    cluster = {"cri_socket": cri_socket(found), "own_pods": controllers_on(api, attempt.node)["own_pods"]}
    reach.act(attempt.node, migration, note_before(attempt.migration_id, migration.spec.target.package, cluster))


def _gone(attempt: Attempt, migration: Migration, done: Sequence[str], begun: Sequence[str]) -> list[str]:
    """The recorded steps whose effect does not hold any more; a start_kubelet that was only begun may have worked."""
    mine, version = attempt.migration_id, attempt.node.kubelet_version

    def undone(action: Action) -> bool:
        return reach.act(attempt.node, migration, action, dry_run=True).changed > 0

    checks: dict[str, Callable[[], bool]] = {
        "stop_docker": lambda: undone(stop_docker(migration, migration_id=mine)),
        "install_runtime": lambda: undone(install_runtime(migration, attempt)),
        "configure_runtime": lambda: undone(configure_runtime(migration, migration_id=mine, kubelet_version=version)),
        "start_runtime": lambda: undone(start_runtime(migration)),
        "configure_kubelet": lambda: undone(configure_kubelet(migration, migration_id=mine, kubelet_version=version)),
    }
    if "start_kubelet" not in begun:
        # where the kubelet is stopped nothing was started since, and nothing could be evicted
        checks["drain"] = lambda: (
            undone(stop_kubelet(migration)) and _pods_came(reach.cluster(migration), attempt.node, migration.spec.drain)
        )
        checks["stop_kubelet"] = lambda: undone(stop_kubelet(migration))
    if "remove_docker" in done:
        del checks["stop_docker"]
    return [step for step, is_gone in checks.items() if step in done and is_gone()]


def _pods_came(api: Cluster, node: NodeRef, settings: Drain) -> bool:
    """Whether a drained node has pods that a drain takes or refuses: somebody has uncordoned it meanwhile."""
    try:
        return any(not is_finished(pod) for pod in select(api, node, settings, time.time()).to_delete)
    except DrainBlocked:
        return True
