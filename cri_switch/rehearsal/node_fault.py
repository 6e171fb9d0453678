"""Faults of a node: what happens to one command instead of its success."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class NodeFault:
    """`rc` and `stderr` instead of running it; `hang` seconds without an answer; `drop` cuts the connection, before
    or `after` the command did its work; `reboot` powers the machine off and on.

    The program of a transient unit hangs, fails and reboots the same; a connection that is cut does not meet it.
    """

    rc: int = 1
    stderr: str = "simulated fault"
    hang: float = 0.0
    drop: bool = False
    after: bool = False
    reboot: bool = False


Hook = Callable[[tuple[str, ...]], NodeFault | None]
"""Sees each program of a node before it runs."""


def on_command(pattern: str, fault: NodeFault, *, times: int = 1) -> Hook:
    """A fault_hook: the first `times` commands whose words, joined by blanks, fit a regular expression."""
    fits, left = re.compile(pattern), [times]

    def hook(argv: tuple[str, ...]) -> NodeFault | None:
        if left[0] > 0 and fits.search(" ".join(argv)):
            left[0] -= 1
            return fault
        return None

    return hook


def together(hooks: Iterable[Hook]) -> Hook:
    """Several hooks as one: the first that answers counts."""
    kept = tuple(hooks)

    def hook(argv: tuple[str, ...]) -> NodeFault | None:
        return next((fault for one in kept if (fault := one(argv)) is not None), None)

    return hook
