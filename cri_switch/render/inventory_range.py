"""Ranges in the names of hosts, as an Ansible inventory has them."""

from __future__ import annotations

import re
from collections.abc import Iterator

_RANGE = re.compile(r"\[([0-9]+|[A-Za-z]):([0-9]+|[A-Za-z])(?::([0-9]+))?\]")
_MOST = 100_000


def expanded(name: str) -> Iterator[str]:
    """`node[01:03]` is node01, node02, node03; `[a:c]` and steps too.

    Raises:
        ValueError: a range that is none.
    """
    found = _RANGE.search(name)
    if found is None:
        yield name
        return
    first, last, step = found[1], found[2], int(found[3] or 1)
    if first.isdigit() != last.isdigit() or step < 1:
        raise ValueError(f"{found[0]} is no range")
    if first.isdigit():
        words = [str(n).zfill(len(first)) for n in range(int(first), min(int(last), int(first) + _MOST) + 1, step)]
    else:
        words = [chr(n) for n in range(ord(first), ord(last) + 1, step)]
    for word in words:
        yield from expanded(name[: found.start()] + word + name[found.end() :])
