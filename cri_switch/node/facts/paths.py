"""Which of several paths exist."""

from __future__ import annotations

from cri_switch.node.command import plain
from cri_switch.node.fact import Fact


def existing(*paths: str) -> Fact[tuple[str, ...]]:
    """Those that are there, in the order asked; the directories above them must be open to every user."""
    command = plain("ls", "-1", "-d", "--", *paths, ok=(0, 1, 2))
    return Fact(f"which of {' '.join(paths)}", command, lambda r: tuple(p for p in paths if p in r.stdout.splitlines()))
