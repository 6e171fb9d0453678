"""What the lab says while it works: progress on stderr, and one error class for everything that a person can mend."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_STARTED = time.monotonic()


class LabError(Exception):
    """Something that ends the command with one clear line."""


def say(message: str) -> None:
    """One line of progress with the seconds since the command began; stdout stays free for results."""
    print(f"lab {time.monotonic() - _STARTED:6.1f} s  {message}", file=sys.stderr, flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say how long a piece of work took."""
    started = time.monotonic()
    yield
    say(f"{name}: {time.monotonic() - started:.1f} s")
