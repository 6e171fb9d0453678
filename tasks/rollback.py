"""Back to Docker: the node's undo, and then the API's part of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from cri_switch.cluster.annotate import annotate_cri_socket
from cri_switch.cluster.cordon import uncordon as uncordon_node
from cri_switch.cluster.mark import unmark
from cri_switch.cluster.taint import remove_waiting_taint
from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import CriSwitchError, DiskFull, RemoteCommandFailed
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.node.action import Action, perform
from cri_switch.node.actions.restore import forget
from cri_switch.node.actions.undo import undo
from cri_switch.node.before import Before
from cri_switch.node.home import HOME
from cri_switch.node.reserve import release_reserve
from tasks import reach
from tasks.diary import write_down
from tasks.drain_before_undo import drain_before_undo, in_service_again
from tasks.serves_again import serves_again
from tasks.spared import refuse_unless_spared
from tasks.step import stand, stands, worth_another_try
from tasks.story import tell
from tasks.undoable import ready_to_undo

STEP = "rollback"
UNDOING = f"{STEP} (not finished)"
"""Where a node stands from its undo's first command to the proof that Docker serves."""
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
    it ends with a drain that is refused, and with a control plane that is not well any more. A disk that is
    full is given the time of the retries, with our own reserve as the room to go on with.

    Raises:
        DrainBlocked, ControlPlaneNotWell: as a person asked for it; the node serves on the new runtime still.
        CriSwitchError: of any other kind; the node is then where it says.
    """
    with _full_disk_told(attempt.node):
        return _back(attempt, migration, reason, asked_in)


def _back(attempt: Attempt, migration: Migration, reason: str, asked_in: Plan | None) -> str:
    node, logger = attempt.node, get_run_logger()
    with noted("nothing was done on the way back"):
        before = ready_to_undo(node, migration, attempt.migration_id)
    logger.warning("node=%s step=%s started: %s", node.name, STEP, reason)
    _perform(node, migration, release_reserve(attempt.migration_id))
    write_down(attempt, migration, STEP, "started", reason)
    tell(node, migration, "RollbackStarted", reason, warning=True)
    drained = drain_before_undo(attempt, migration, asked_in)
    with in_service_again(attempt, migration, asked=drained and asked_in is not None):
        refuse_unless_spared(node, migration, before)
    stand(node.name, UNDOING)
    done = _perform(node, migration, undo(migration, attempt))
    with noted(f"done on the way back: {done}"):
        line = f"{done}; {_proven(attempt, migration, before)}"
    write_down(attempt, migration, STEP, "done", line)
    stand(node.name, "")
    tell(node, migration, "RolledBack", line)
    logger.info("node=%s step=%s %s", node.name, STEP, line)
    return line


def undo_begun(name: str) -> bool:
    """Whether a way back of the node was begun in this process, and not ended."""
    return stands().get(name) == UNDOING


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
def noted(done: str) -> Iterator[None]:
    """An error's state says what was done before it."""
    try:
        yield
    except CriSwitchError as problem:
        problem.state = "; ".join(part for part in (problem.state, done) if part)
        raise


def _proven(attempt: Attempt, migration: Migration, before: Before) -> str:
    """Docker serves; the API's part is as before, and the record of before is moved aside."""
    node, api = attempt.node, reach.cluster(migration)
    seen, pods = serves_again(node, migration, before)
    if before.known:
        annotate_cri_socket(api, node, before.cluster.get("cri_socket", ""))
    remove_waiting_taint(api, node, attempt.migration_id)
    # first: a record that outlives the node's return would be put over what an administrator changes from then on
    _perform(node, migration, forget(attempt.migration_id, attempt.number))
    cordon = uncordon_node(api, node, attempt.migration_id)
    unmark(api, node)
    return f"Ready on {seen}; {pods}; {cordon}"


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
        with noted(f"begun on the way back, the last of it may have failed: {' | '.join(said[-_LINES:]) or 'nothing'}"):
            raise
    return done.summary
