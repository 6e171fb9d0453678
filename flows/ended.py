"""How a run ends that did not reach its end and did not fail: a named state that is not Completed."""

from __future__ import annotations

from typing import Any

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from prefect.states import Cancelled

from cri_switch.model.errors import CriSwitchError, NotApproved, Stopped, WindowClosed

CANCELS = (KeyboardInterrupt, TerminationSignal)
"""How a cancel reaches the main thread: Ctrl-C, SIGTERM, the engine's Cancel."""
NOT_FAILED = (Stopped, WindowClosed, NotApproved)


def ended(problem: CriSwitchError) -> State[Any]:
    """Cancelled, or a state of that type under its own name; called in process, the flow raises `problem`."""
    name = "Cancelled" if isinstance(problem, Stopped) else type(problem).__name__
    get_run_logger().warning("%s", problem)
    return Cancelled(name=name, message=str(problem), data=problem)
