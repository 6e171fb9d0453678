"""Polling with a deadline, a stop flag, and patience with an API that is away for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import ApiError, RemoteTimeout, Stopped, Unreachable


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Pace:
    """How a wait waits: `stop` is asked before each look; tests hand in a clock and a sleep of their own.

    Pauses double from `first` to `every` seconds: most waits are over soon, and a node is out of service meanwhile.
    """

    stop: Callable[[], bool] = _never
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    every: float = 1.0
    first: float = 0.1

    def pauses(self) -> Iterator[float]:
        """Seconds between looks."""
        pause = min(self.first, self.every)
        while True:
            yield pause
            pause = min(pause * 2, self.every)

    def check(self, what: str) -> None:
        """Raises Stopped when the run was asked to stop."""
        if self.stop():
            raise Stopped(f"stopped while waiting for {what}", next_step="run the same command again: it resumes here")


def until(look: Callable[[], str], what: str, seconds: float, pace: Pace, *, next_step: str = "") -> float:
    """Look until the answer is empty (nothing is missing); how many seconds it took.

    While the API is away, does not know us yet because it just starts (401, 403), or has too much to do (429: all
    clients come at once when it is back), that is what is missing.

    Raises:
        RemoteTimeout: not within `seconds`; says what was missing last.
        Stopped: the run was asked to stop.
    """
    deadline, pauses = Deadline.after(seconds, pace.clock), pace.pauses()
    while True:
        pace.check(what)
        try:
            missing = look()
        except Unreachable as problem:
            missing = f"the API does not answer ({problem.what})"
        except ApiError as problem:
            if problem.status not in (401, 403, 429):
                raise
            why = "has too much to do" if problem.status == 429 else "does not let us in"
            missing = f"the API {why} ({problem.what})"
        if not missing:
            return deadline.elapsed
        if deadline.expired:
            raise RemoteTimeout(f"{what}: not within {seconds:.0f} s: {missing}", next_step=next_step)
        pace.sleep(min(next(pauses), deadline.remaining))
