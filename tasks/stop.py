"""The one stop flag of the process: set, no further step starts and every wait ends."""

from __future__ import annotations

import threading

from cri_switch.model.errors import Stopped

_FLAG = threading.Event()


def stopping() -> bool:
    """Whether the run was asked to stop."""
    return _FLAG.is_set()


def ask_to_stop() -> None:
    """Set the flag."""
    _FLAG.set()


def begin() -> None:
    """Clear the flag at the start of a run."""
    _FLAG.clear()


def check(what: str) -> None:
    """Raise Stopped before `what` if the run was asked to stop."""
    if _FLAG.is_set():
        raise Stopped(f"stopped before {what}", next_step="run the same command again: it resumes here")


def sleep(seconds: float) -> None:
    """Wait, but not past a stop: every wait of a step goes through here."""
    if _FLAG.wait(seconds):
        raise Stopped("stopped in a wait", next_step="run the same command again: it resumes here")
