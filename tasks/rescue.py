"""The API is away because a run was killed in the middle of a control-plane node: that node goes back to Docker."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import get_run_logger

from cri_switch.cluster.process_identity import surely_dead
from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import CriSwitchError, Unreachable
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.actions.undo import undo
from cri_switch.node.before import before_fact
from cri_switch.node.facts.machine import BOOT_ID
from cri_switch.node.journal import ROLLBACK_STEPS, Entry, journal_fact
from cri_switch.node.reserve import release_reserve
from tasks import reach
from tasks.diary import write_down
from tasks.look import look
from tasks.memory import Memory, recall
from tasks.reported import reported
from tasks.rollback import STEP, noted
from tasks.spared import refuse_unless_spared


def half_done(entries: Sequence[Entry]) -> bool:
    """Whether the last attempt stopped the kubelet, and was neither finished nor taken back."""
    last = max((entry.attempt for entry in entries), default=0)
    mine = [entry for entry in entries if entry.attempt == last]
    begun = any(entry.step == "stop_kubelet" for entry in mine)
    ended = {entry.step for entry in mine if entry.event in ("done", "noop")}
    return begun and not ended & {"settle", *ROLLBACK_STEPS}


@look
def rescue(migration: Migration, asked_for: str = "") -> list[str]:
    """Undo the nodes that a dead run left half done, over SSH alone, and wait for the API; their names.

    None where this is not why the API is away. A run is known to be dead on its own machine only; elsewhere a person
    says so by asking for the node's rollback.

    Raises:
        Unreachable: the run may be alive.
        CriSwitchError: the way back failed.
    """
    memory = recall(migration)
    left = [] if memory is None else [node for node in memory.nodes if _is_left(node, memory, migration)]
    if memory is None or not left:
        return []
    names = [node.name for node in left]
    if not surely_dead(memory.process) and asked_for not in names:
        raise Unreachable(
            f"the API does not answer, and a run (process {memory.process}) has {', '.join(names)} in its hands",
            state="nothing was touched by this run",
            next_step=f"wait for that run; if it is dead for certain: cri-switch rollback {names[0]} -f FILE --yes",
        )
    for node in left:
        _take_back(node, memory, migration)
    return names


def _is_left(node: NodeRef, memory: Memory, migration: Migration) -> bool:
    reach.leave(node)
    try:
        return half_done(journal_fact(memory.migration_id).read(reach.node(node, migration)))
    except CriSwitchError as problem:
        get_run_logger().warning("node=%s cannot be looked at: %s", node.name, problem.what)
        return False


def _take_back(node: NodeRef, memory: Memory, migration: Migration) -> None:
    connection, logger = reach.node(node, migration), get_run_logger()
    logger.warning("node=%s a killed run left it half done and the API away: back to Docker first", node.name)
    attempt = Attempt(
        cluster_uid=memory.cluster_uid,
        migration_id=memory.migration_id,
        node=node,
        number=max(entry.attempt for entry in journal_fact(memory.migration_id).read(connection)),
        boot_id=BOOT_ID.read(connection),
    )
    refuse_unless_spared(node, migration, before_fact(attempt.migration_id).read(connection))
    with noted(f"{node.name} may be half way back to Docker"):
        reach.act(node, migration, release_reserve(attempt.migration_id))
        write_down(attempt, migration, STEP, "started", "the API is away")
        done = reach.act(node, migration, undo(migration, attempt))
        seen = reported(node, migration, runtime="docker")
    write_down(attempt, migration, STEP, "done", f"{done.summary}; Ready on {seen}")
    logger.warning("node=%s %s; Ready on %s", node.name, done.summary, seen)
