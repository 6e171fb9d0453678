"""How a run ends that did not reach its end: an error that says all, or a named state that is not Completed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from prefect.states import Cancelled

from cri_switch.model.errors import CriSwitchError, NotApproved, Stopped, WindowClosed

CANCELS = (KeyboardInterrupt, TerminationSignal)
"""How a cancel reaches the main thread: Ctrl-C, SIGTERM, the engine's Cancel."""
NOT_FAILED = (Stopped, WindowClosed, NotApproved)


@contextmanager
def told(state: Callable[[], str]) -> Iterator[None]:
    """An error that leaves the block has a state and a next step: its text is all that the engine keeps of it."""
    try:
        yield
    except CriSwitchError as problem:
        problem.completed(state())
        raise


def ended(problem: CriSwitchError) -> State[Any]:
    """Cancelled, or a state of that type under its own name; called in process, the flow raises `problem`."""
    name = "Cancelled" if isinstance(problem, Stopped) else type(problem).__name__
    get_run_logger().warning("%s", problem)
    return Cancelled(name=name, message=str(problem), data=problem)
