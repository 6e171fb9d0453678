"""A point on the monotonic clock that a wait must not pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """`seconds` from `start` on the monotonic clock; 0 or less seconds means without end (kubectl's --timeout=0)."""

    seconds: float
    start: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """A deadline `seconds` from now."""
        return cls(seconds, clock(), clock)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.clock() - self.start

    @property
    def remaining(self) -> float:
        """Seconds left, never negative; infinity without end."""
        return float("inf") if self.seconds <= 0 else max(0.0, self.seconds - self.elapsed)

    @property
    def expired(self) -> bool:
        """Whether no time is left."""
        return self.remaining <= 0
