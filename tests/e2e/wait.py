"""Waiting with an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(what: str, look: Callable[[], T | None], seconds: float, every: float = 0.5) -> T:
    """Look until the answer is true (not empty), and answer it.

    Raises:
        AssertionError: it was not in time; names the last answer.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = look()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain: {what}; last: {answer!r}"
        time.sleep(every)


def until_none(what: str, look: Callable[[], T], seconds: float, every: float = 0.5) -> None:
    """Look until nothing is wrong any more (an empty answer); the last one is in the error."""
    deadline = time.monotonic() + seconds
    while answer := look():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain: {what}; still: {answer!r}"
        time.sleep(every)
