"""The one stop flag of the process: set, no further step starts and every wait ends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cri_switch.model.errors import CriSwitchError, Stopped

_FLAG = threading.Event()
_WHY: list[CriSwitchError] = []
_NEXT = "run the same command again: it resumes here"


def stopping() -> bool:
    """Whether the run was asked to stop."""
    return _FLAG.is_set()


def ask_to_stop(why: CriSwitchError | None = None) -> None:
    """Set the flag; the first reason stays."""
    if why is not None and not _WHY:
        _WHY.append(why)
    _FLAG.set()


def begin() -> None:
    """The start of a run: the flag is clear, and files of this process are its user's only, checkpoints too."""
    os.umask(0o077)  # a worker that somebody started by hand has that person's
    _WHY.clear()
    _FLAG.clear()


def why() -> CriSwitchError | None:
    """Why the run was asked to stop, an error to end it with; None while it was not."""
    if not _FLAG.is_set():
        return None
    return _WHY[0] if _WHY else Stopped("the run was cancelled", next_step=_NEXT)


def check(what: str) -> None:
    """Raise Stopped before `what` if the run was asked to stop."""
    if _FLAG.is_set():
        raise Stopped(f"stopped before {what}", next_step=_NEXT)


def sleep(seconds: float) -> None:
    """Wait, but not past a stop: every wait of a step goes through here."""
    if _FLAG.wait(seconds):
        raise Stopped("stopped in a wait", next_step=_NEXT)


def heard() -> None:
    """A cancel has reached us: further ones change nothing, until `listening` ends."""
    ask_to_stop()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


@contextmanager
def listening() -> Iterator[None]:
    """Put the signals' handlers back at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
