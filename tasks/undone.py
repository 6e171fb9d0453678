"""A step that fails takes its node back, and says how that went."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import CriSwitchError, LockHeld, RollbackFailed, Stopped
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from tasks import stop
from tasks.bug import as_bug
from tasks.rollback import UNDOING, rollback
from tasks.step import stand, stands

_BACK = "back on Docker"
_LINES = 12


@contextmanager
def undone_on_failure(attempt: Attempt, migration: Migration) -> Iterator[None]:
    """A step that fails takes the node back; the failure is raised again and says so.

    A stop, a cancellation or a lost Lease is no failure: the next run resumes.

    Raises:
        RollbackFailed: the node could not be taken back; it is left as it is.
    """
    try:
        yield
    except (Stopped, LockHeld):
        raise
    except CriSwitchError as problem:
        if migration.spec.dry_run or stop.stopping():
            raise
        _take_back(attempt, migration, problem)
        raise
    except Exception as problem:  # the node is half way: that nobody expected it is no reason to leave it there
        bug = as_bug(problem)
        if migration.spec.dry_run or stop.stopping() or bug is None:
            raise
        _take_back(attempt, migration, bug)
        raise bug from problem


def _take_back(attempt: Attempt, migration: Migration, problem: CriSwitchError) -> None:
    """Roll the node back and note in the problem that it is; raises RollbackFailed, Stopped."""
    name = attempt.node.name
    at = stands().get(name, "")
    stand(name, UNDOING)
    try:
        done = rollback(attempt, migration, problem.what)
    except Stopped as also:
        problem.add_note(f"the way back was stopped: {also.what}")
        also.state = "half way back to Docker; the next run goes on"
        raise also from problem
    except CriSwitchError as also:
        stand(name, at)
        raise failed(attempt.node, migration, also, problem) from problem
    except Exception as bug:  # whatever it is: the node is neither here nor there, and nothing further may start
        stand(name, at)
        unexpected = CriSwitchError(f"{type(bug).__name__}: {bug}")
        raise failed(attempt.node, migration, unexpected, problem) from bug
    problem.rolled_back = True
    problem.state = "\n".join([f"{_BACK}: {done}", *_said(problem)])
    problem.next_step = problem.next_step or "mend what is named and run the same command again"


def _said(problem: CriSwitchError) -> list[str]:
    """What the node said before it was taken back: its state of then is gone, and with it the reason."""
    return ["before that the node said:", *problem.followed[-_LINES:]] if problem.followed else []


def failed(
    node: NodeRef, migration: Migration, also: CriSwitchError, first: CriSwitchError | None = None
) -> RollbackFailed:
    """The error of a way back that failed; FILE is for the command line to fill in."""
    because = f"{first.what}\n" if first else ""
    at = stands().get(node.name)
    command = (
        f"cri-switch rollback {node.name} -f FILE --yes"
        f", or: prefect deployment run {shlex.quote(f'rollback-node/{migration.metadata.name}')} -p node={node.name}"
    )
    return RollbackFailed(
        f"{because}the way back to Docker failed: {also.what}",
        state=f"{node.name} is unhealthy, neither proven on Docker nor on the new runtime"
        + (f"; the last step was {at}" if at else "")
        + (f"; {also.state}" if also.state else ""),
        next_step=f"{also.next_step}; then: {command}" if also.next_step else command,
    )
