"""Time of a rehearsal: faster than the real one by a factor, or only as fast as somebody sleeps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Simulated time, `scale` simulated seconds to a real one; it begins at the real time of its making.

    `runs`: it passes by itself.
    """

    runs = True

    def __init__(self, scale: float = 1.0, start: float | None = None) -> None:
        self.scale = scale
        self._begun = time.monotonic()
        self._start = time.time() if start is None else start

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._start + (time.monotonic() - self._begun) * self.scale

    def wall(self) -> float:
        """What a node's `date` says: simulated time runs away from the orchestrator's, and its clock must not."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let simulated seconds pass."""
        if seconds > 0:
            time.sleep(seconds / self.scale)

    def leap(self, seconds: float) -> None:
        """Simulated seconds pass at once."""
        self._start += seconds


class VirtualClock(Clock):
    """Time that passes only by sleeping; after each sleep `passed` is called, in the thread that slept."""

    runs = False

    def __init__(self, start: float = 1_795_000_000.0) -> None:
        super().__init__(1.0, start)
        self.passed: Callable[[], None] = lambda: None
        self._now = start
        self._lock = threading.RLock()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now

    def wall(self) -> float:
        """The same time: the orchestrator is in it."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move the time on."""
        with self._lock:
            self._now += max(seconds, 0.0)
            self.passed()
        time.sleep(0)  # another thread's turn: one that only waits would let hours pass between another's two calls

    def leap(self, seconds: float) -> None:
        """Move the time on, and nobody is told."""
        self._now += seconds


def timestamp(seconds: float) -> str:
    """As the API writes it, whole seconds: `2026-11-23T18:00:00Z`."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(text: str) -> float:
    """Seconds since the epoch of an API timestamp."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
