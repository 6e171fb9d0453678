"""The processes of a simulated node: what /proc and pgrep show of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass


@dataclass
class Process:
    """One process; `cgroup` is its path in every controller."""

    pid: int
    argv: tuple[str, ...]
    cgroup: str


class Processes:
    """Process ids are never given twice within a boot."""

    def __init__(self) -> None:
        self._pids = itertools.count(300)
        self.all: dict[int, Process] = {}

    def start(self, argv: tuple[str, ...], cgroup: str) -> int:
        """A new process; answers its pid."""
        pid = next(self._pids)
        self.all[pid] = Process(pid, argv, cgroup)
        return pid

    def end(self, pid: int) -> None:
        """It has gone; one that was gone stays gone."""
        self.all.pop(pid, None)

    def read(self, path: str) -> bytes | None:
        """/proc/PID/cmdline and /proc/PID/cgroup (cgroup v1); None for what is not there."""
        _empty, _proc, pid, *rest = path.split("/")
        found = self.all.get(int(pid)) if pid.isdigit() else None
        if found is None:
            return None
        if rest == ["cmdline"]:
            return "".join(f"{word}\0" for word in found.argv).encode()
        if rest == ["comm"]:
            return (found.argv[0].rpartition("/")[2][:15] + "\n").encode()
        if rest == ["cgroup"]:
            names = ("memory", "cpu,cpuacct", "pids", "devices", "freezer", "blkio", "cpuset", "name=systemd")
            return "".join(f"{number}:{name}:{found.cgroup}\n" for number, name in enumerate(names, 2)).encode()
        return None
