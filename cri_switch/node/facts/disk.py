"""Room on the filesystems."""

from __future__ import annotations

from dataclasses import dataclass

from cri_switch.node.command import Result, plain
from cri_switch.node.fact import Fact


@dataclass(frozen=True)
class Disk:
    """The filesystem that holds a path, in bytes; `free` is what a non-root user may still use."""

    filesystem: str
    size: int
    used: int
    free: int
    mount: str


def parse_df(text: str) -> list[Disk]:
    """`df -B1 -P`: one line a path, in the order asked."""
    found = []
    for line in text.splitlines()[1:]:
        filesystem, size, used, free, _percent, mount = line.split(None, 5)
        found.append(Disk(filesystem, int(size), int(used), int(free), mount))
    return found


def disks(*paths: str) -> Fact[dict[str, Disk]]:
    """The filesystems of paths that exist, by path."""

    def parse(result: Result) -> dict[str, Disk]:
        return dict(zip(paths, parse_df(result.stdout), strict=True))

    return Fact(f"disk {' '.join(paths)}", plain("df", "-B1", "-P", "--", *paths), parse)
