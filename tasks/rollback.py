"""Back to Docker: the node's undo, and then the API's part of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from cri_switch.cluster.annotate import annotate_cri_socket
from cri_switch.cluster.api_health import wait_api
from cri_switch.cluster.cordon import cordon as cordon_node
from cri_switch.cluster.cordon import uncordon as uncordon_node
from cri_switch.cluster.drain import drain as drain_node
from cri_switch.cluster.inventory import same_node
from cri_switch.cluster.mark import unmark
from cri_switch.cluster.node_pods import wait_node_pods
from cri_switch.cluster.node_status import wait_runtime
from cri_switch.cluster.probe import clear_probes
from cri_switch.cluster.taint import remove_waiting_taint
from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import (
    ApiError,
    ControlPlaneNotWell,
    CriSwitchError,
    DiskFull,
    DrainBlocked,
    NotProven,
    RemoteCommandFailed,
    RemoteTimeout,
)
from cri_switch.model.errors import Unreachable as Away
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.node.action import Action, perform
from cri_switch.node.actions.restore import forget
from cri_switch.node.actions.stop_kubelet import KUBELET
from cri_switch.node.actions.undo import refuse_without_docker, undo
from cri_switch.node.before import Before, before_fact
from cri_switch.node.facts.docker import DOCKER_RUNNING
from cri_switch.node.facts.kubelet import KUBELET_STARTED
from cri_switch.node.facts.machine import BOOT_ID
from cri_switch.node.facts.units import units
from cri_switch.node.journal import HOME, journal_fact
from cri_switch.node.reserve import release_reserve
from tasks import reach, stop
from tasks.control_plane import may_still_go_back
from tasks.diary import write_down
from tasks.followed import followed
from tasks.hold import release
from tasks.look import look
from tasks.pressure import outlast_pressure
from tasks.step import worth_another_try
from tasks.story import tell

STEP = "rollback"
_LINES = 12
_FULL = "No space left on device"


@task(
    name=STEP,
    task_run_name="rollback {attempt.node.name}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=5,
    retry_delay_seconds=[2, 5, 10, 20, 40],
    retry_condition_fn=worth_another_try,
)
def rollback(attempt: Attempt, migration: Migration, reason: str, *, asked_in: Plan | None = None) -> str:
    """Undo on the node, prove that Docker serves, then annotation, marks, taint and cordon; what was done, a line.

    A node that serves on the new runtime is drained first. Where a person asked for it, with this plan of the cluster,
    it ends with a drain that is refused, and with a control plane that cannot spare the node any more. A disk that is
    full is given the time of the retries, with our own reserve as the room to go on with.

    Raises:
        DrainBlocked, ControlPlaneNotWell: as a person asked for it; the node serves on the new runtime still.
        CriSwitchError: of any other kind; the node is then where it says.
    """
    with _full_disk_told(attempt.node):
        return _back(attempt, migration, reason, asked_in)


def _back(attempt: Attempt, migration: Migration, reason: str, asked_in: Plan | None) -> str:
    node, logger = attempt.node, get_run_logger()
    with _noted("nothing was done on the way back"):
        before = ready_to_undo(node, migration, attempt.migration_id)
    logger.warning("node=%s step=%s started: %s", node.name, STEP, reason)
    _perform(node, migration, release_reserve(attempt.migration_id))
    write_down(attempt, migration, STEP, "started", reason)
    tell(node, migration, "RollbackStarted", reason, warning=True)
    _drain(attempt, migration, asked_in)
    done = _perform(node, migration, undo(migration, attempt))
    with _noted(f"done on the way back: {done}"):
        line = f"{done}; {_proven(attempt, migration, before)}"
    write_down(attempt, migration, STEP, "done", line)
    tell(node, migration, "RolledBack", line)
    logger.info("node=%s step=%s %s", node.name, STEP, line)
    return line


@contextmanager
def _full_disk_told(node: NodeRef) -> Iterator[None]:
    """Raises DiskFull where a command failed for want of room."""
    try:
        yield
    except RemoteCommandFailed as problem:
        if _FULL not in problem.stderr:
            raise
        next_step = f"make room on {node.name}: df -h {HOME} /var/lib/docker"
        raise DiskFull(problem.what, state=problem.state, next_step=next_step) from problem


@contextmanager
def _noted(done: str) -> Iterator[None]:
    """An error's state says what was done before it."""
    try:
        yield
    except CriSwitchError as problem:
        problem.state = "; ".join(part for part in (problem.state, done) if part)
        raise


def _proven(attempt: Attempt, migration: Migration, before: Before) -> str:
    """Docker serves; the API's part is as before, and the record of before is moved aside."""
    node, spec, api = attempt.node, migration.spec, reach.cluster(migration)
    with followed(node, migration):
        if node.role == "control-plane":
            wait_api(api, seconds=spec.timeouts.api, stop=stop.stopping, sleep=stop.sleep)
        seen = wait_runtime(
            api,
            node,
            runtime="docker",
            newer_than=KUBELET_STARTED.read(reach.node(node, migration)),
            seconds=spec.timeouts.node_ready,
            stop=stop.stopping,
            sleep=stop.sleep,
        )
        release(node, migration, runtime="docker")
        try:
            pods = _own_pods(node, migration, before)
        except RemoteTimeout as late:
            outlast_pressure(node, migration, late)
            pods = _own_pods(node, migration, before)
    if before.known:
        annotate_cri_socket(api, node, before.cluster.get("cri_socket", ""))
    remove_waiting_taint(api, node, attempt.migration_id)
    # first: a record that outlives the node's return would be put over what an administrator changes from then on
    _perform(node, migration, forget(attempt.migration_id, attempt.number))
    cordon = uncordon_node(api, node, attempt.migration_id)
    unmark(api, node)
    return f"Ready on {seen}; {pods}; {cordon}"


def _own_pods(node: NodeRef, migration: Migration, before: Before) -> str:
    return wait_node_pods(
        reach.cluster(migration),
        node,
        runtime="docker",
        expected=before.cluster.get("own_pods", ()),
        alive=lambda: DOCKER_RUNNING.read(reach.node(node, migration)),
        seconds=migration.spec.timeouts.pods_ready,
        stop=stop.stopping,
        sleep=stop.sleep,
    )


def ready_to_undo(node: NodeRef, migration: Migration, migration_id: str) -> Before:
    """How the node was before.

    Raises: NotProven, with nothing touched, where Docker's packages are gone, or this migration never had the node.
    """
    connection = reach.node(node, migration)

    def check() -> Action:
        yield from refuse_without_docker(before)
        return ""

    before = before_fact(migration_id).read(connection)
    perform(connection, check())
    if not (before.known or node.runtime.startswith("docker://") or journal_fact(migration_id).read(connection)):
        raise NotProven(
            f"{node.name} runs {node.runtime}, and migration {migration_id} has no record there: it never had it",
            state="nothing was touched",
            next_step="there is nothing to take back; if another migration switched it, name that one in"
            f" spec.migration_id: ssh {node.name} sudo ls {HOME}",
        )
    return before


@look
def last_attempt(node: NodeRef, migration: Migration, plan: Plan) -> Attempt:
    """The attempt that is to be undone: the journal's last one. Nothing is written.

    Raises: NotProven as `ready_to_undo` does.
    """
    reach.leave(node)
    connection = reach.node(node, migration)
    ready_to_undo(node, migration, plan.migration_id)
    entries = journal_fact(plan.migration_id).read(connection)
    return Attempt(
        cluster_uid=plan.cluster_uid,
        migration_id=plan.migration_id,
        node=node,
        number=max((entry.attempt for entry in entries), default=1),
        boot_id=BOOT_ID.read(connection),
    )


def _perform(node: NodeRef, migration: Migration, action: Action) -> str:
    """Not cut short by a stop: it takes seconds, and half of it is the worst place to end."""
    logger = get_run_logger()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        logger.info("node=%s %s", node.name, line)

    try:
        done = perform(reach.node(node, migration), action, dry_run=migration.spec.dry_run, say=say, sleep=time.sleep)
    except CriSwitchError:
        with _noted(
            f"begun on the way back, the last of it may have failed: {' | '.join(said[-_LINES:]) or 'nothing'}"
        ):
            raise
    return done.summary


def _drain(attempt: Attempt, migration: Migration, asked_in: Plan | None) -> None:
    """Only a node that serves on the new runtime: from any other, pods cannot be evicted in an orderly way.

    Where the kubelet is stopped the API is not asked: with one control plane it is away for as long. A refused drain
    (a PDB) is no reason to leave a node that failed where it is: what is left on it is stopped with its grace and
    started again in place, as in a reboot.
    """
    api, node, logger = reach.cluster(migration), attempt.node, get_run_logger()
    if not units(KUBELET).read(reach.node(node, migration))[KUBELET].active:
        return
    try:
        found = same_node(api, node)
    except (Away, ApiError) as problem:
        if asked_in is not None:
            raise
        logger.warning("node=%s not drained: %s", node.name, problem.what)
        return
    status = found["status"]
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or [])
    if not ready or status["nodeInfo"]["containerRuntimeVersion"].startswith("docker://"):
        return
    cordon_node(api, node, attempt.migration_id)
    try:
        clear_probes(api, node, stop=stop.stopping, sleep=stop.sleep)
        drain_node(
            api,
            node,
            migration.spec.drain,
            say=lambda line: logger.info("node=%s %s", node.name, line),
            stop=stop.stopping,
            sleep=stop.sleep,
        )
        if asked_in is not None:
            may_still_go_back(node, asked_in, migration)
    except (DrainBlocked, RemoteTimeout, ControlPlaneNotWell) as problem:
        if asked_in is not None:
            uncordon_node(api, node, attempt.migration_id)
            raise
        logger.warning("node=%s not drained, its pods are restarted in place: %s", node.name, problem.what)
