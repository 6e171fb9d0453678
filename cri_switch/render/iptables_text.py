"""The lines of `iptables-save`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence


def parsed(saved: str) -> Iterator[tuple[str, str, list[str]]]:
    """(table, line, words): a chain's words are `:` and its name, a rule's begin with `-A` and its chain."""
    table = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":"):
            yield table, line, [":", line[1:].split()[0]]
        elif line.startswith("-A "):
            yield table, line, shlex.split(line)


def target(words: Sequence[str]) -> str:
    """Where a rule jumps to; "" where it does not."""
    return after(words, "-j") or after(words, "-g")


def after(words: Sequence[str], flag: str) -> str:
    """The word that follows a flag; "" without it."""
    return words[words.index(flag) + 1] if flag in words[:-1] else ""
