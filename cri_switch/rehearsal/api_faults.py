"""What goes wrong with calls of the API."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from cri_switch.rehearsal.api_reply import Call, Reply, failure
from cri_switch.rehearsal.world import World

_CHANGES = ("PATCH", "PUT")
ApiFault = Callable[[Call], Reply | None]


def some(
    answer: ApiFault, *, every: int = 1, last: int = 1_000_000, since: Callable[[Call], bool] = lambda _call: True
) -> ApiFault:
    """Every `every`th call up to the `last` is answered by `answer`, counted from the first one that fits `since`."""
    count, begun = itertools.count(), False

    def fault(call: Call) -> Reply | None:
        nonlocal begun
        begun = begun or since(call)
        number = next(count) if begun else last
        return answer(call) if number < last and number % every == every - 1 else None

    return fault


def evicts(call: Call) -> bool:
    """Whether a pod is really evicted by it."""
    return call.method == "POST" and call.path.endswith("/eviction") and not call.dry_run


def lost(_call: Call) -> Reply:
    """The connection is cut."""
    return Reply(0, lost=True)


def broken(call: Call) -> Reply | None:
    """500 for what only reads."""
    return _error() if call.method == "GET" else None


def broken_change(call: Call) -> Reply | None:
    """500 for a change of what is there, and it was not done."""
    return _error() if call.method in _CHANGES else None


def broken_write(call: Call) -> Reply | None:
    """500 for whatever writes, and it was not done."""
    return _error() if call.method != "GET" else None


def _error() -> Reply:
    return failure(500, "InternalError", "etcdserver: request timed out")


def throttled(_call: Call) -> Reply:
    """429."""
    return failure(429, "TooManyRequests", "too many requests, please try again later")


def conflicts(call: Call) -> Reply | None:
    """409 for a change of what is there."""
    if call.method not in _CHANGES:
        return None
    return failure(
        409, "Conflict", "Operation cannot be fulfilled: the object has been modified; please apply your changes"
    )


def slow(world: World) -> ApiFault:
    """Half a second more for every third call."""
    real = world.api.really
    return some(lambda call: replace(real(call), after=0.5), every=3)
