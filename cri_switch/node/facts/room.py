"""Room on the filesystems of paths that may not be there."""

from __future__ import annotations

from dataclasses import dataclass

from cri_switch.node.command import Result, plain
from cri_switch.node.fact import Fact


@dataclass(frozen=True)
class Room:
    """The filesystem that holds a path: its mount point, its size and what is free, in bytes."""

    mount: str
    size: int
    free: int


def room(*paths: str) -> Fact[dict[str, Room]]:
    """By path; a path that does not exist is left out."""

    def parse(result: Result) -> dict[str, Room]:
        found = {}
        for line in result.stdout.splitlines()[1:]:
            size, free, rest = line.split(None, 2)
            for path in paths:
                if rest.endswith(f" {path}"):
                    found[path] = Room(rest.removesuffix(path).strip(), int(size), int(free))
        return found

    command = plain("df", "-B1", "--output=size,avail,target,file", "--", *paths, ok=(0, 1))
    return Fact(f"room on {' '.join(paths)}", command, parse)
