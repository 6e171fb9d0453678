"""What an error leaves out: the state and what to type, by the command that was typed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import pairwise

from cri_switch.cli.manual import MANUAL
from cri_switch.model.errors import CriSwitchError, UsageError

_LOOKS = frozenset({"plan", "preflight", "status", "facts", "completion", "version"})


def completed(problem: CriSwitchError, argv: Sequence[str]) -> CriSwitchError:
    """The error with a state and a next step, where it has none of its own."""
    return problem.completed(_state(argv), help_of(argv) if isinstance(problem, UsageError) else "")


def help_of(argv: Sequence[str]) -> str:
    """The help of the command that was typed."""
    return " ".join(["cri-switch", *filter(None, [_command(argv)]), "--help"])


def _command(argv: Sequence[str]) -> str:
    return argv[0] if argv and argv[0] in MANUAL else ""


def _state(argv: Sequence[str]) -> str:
    command = _command(argv)
    if command == "demo":
        return "nothing real was touched"
    if command in _LOOKS or "--dry-run" in argv:
        return "nothing was touched"
    files = [after for word, after in pairwise(argv) if word in ("-f", "--file")]
    return f"cri-switch status -f {shlex.quote(files[0]) if files else 'FILE'} shows where each node stands"
