"""Room for the way back: a full disk must not keep a node from it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cri_switch.node.action import Action, Do, Part, read
from cri_switch.node.command import sudo
from cri_switch.node.fact import Fact
from cri_switch.node.home import folder

MEGABYTES = 32
"""The journal, the restored files, and what dockerd and the kubelet write to make a node's containers anew."""


def reserve_path(migration_id: str) -> str:
    """The file that takes the room."""
    return f"{folder(migration_id)}/reserve"


def keep_reserve(migration_id: str) -> Generator[Part, Any, None]:
    """Take the room; a disk that has not even this much is a reason not to begin."""
    path = reserve_path(migration_id)
    words = ("if=/dev/zero", f"of={path}", "bs=1M", f"count={MEGABYTES}", "conv=fsync", "status=none")
    yield Do(sudo("install", "-m", "0600", "--", "/dev/null", path), "the file for it, root only")
    yield Do(sudo("dd", *words, timeout=300), f"{MEGABYTES} MB that the way back may use if the disk is full by then")


def release_reserve(migration_id: str) -> Action:
    """Give the room back: at the begin of the way back, and when there is none any more."""
    path = reserve_path(migration_id)
    there = Fact("the reserve", sudo("stat", "-c", "%n", "--", path, ok=(0, 1)), lambda result: bool(result.stdout))
    if not (yield from read(there)):
        return "there is no reserve"
    yield Do(sudo("rm", "-f", "--", path), "the reserve is given back")
    return "the reserve is given back"
