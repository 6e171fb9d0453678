"""A node's journal: lines by unit, with cursors, as journalctl prints them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

KEEP = 5000


@dataclass(frozen=True)
class Line:
    """One entry; `cursor` counts up."""

    cursor: int
    time: float
    unit: str
    text: str


class Journal:
    """The newest lines; older ones go as journald's rotation lets them go."""

    def __init__(self, host: str, now: Callable[[], float]) -> None:
        self._host, self._now = host, now
        self._lines: deque[Line] = deque(maxlen=KEEP)
        self._next = 1

    def add(self, unit: str, text: str) -> None:
        """One line a line of text."""
        for line in text.splitlines():
            self._lines.append(Line(self._next, self._now(), unit, line))
            self._next += 1

    def select(self, units: Collection[str], *, after: int = 0, last: int | None = None) -> list[Line]:
        """Lines of units (none: of all) after a cursor, the newest `last` of them (with `after`: the oldest)."""
        found = [line for line in self._lines if (not units or line.unit in units) and line.cursor > after]
        if last is None:
            return found
        return found[:last] if after else found[len(found) - min(last, len(found)) :]

    def short(self, line: Line) -> str:
        """As journalctl's short format."""
        stamp = time.strftime("%b %d %H:%M:%S", time.gmtime(line.time))
        return f"{stamp} {self._host} {line.unit.removesuffix('.service')}[1]: {line.text}"
