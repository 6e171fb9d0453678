"""A cgroup of its own for every machine, in every v1 controller and in `unified`.

Without it the machines' kubelets share /kubepods and take each other's pods for orphans. What is in a machine's
cgroups is that machine's, so they also tell what a killed run left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from tests.lab.process import wait_for
from tests.lab.report import LabError

_MOUNTS = Path("/proc/self/mounts")
_CPUSET_FILES = ("cpuset.cpus", "cpuset.mems")


def hierarchies() -> list[Path]:
    """Where this machine's cgroup hierarchies are mounted: the v1 controllers, name=systemd, and cgroup2 if it is."""
    lines = [line.split() for line in _MOUNTS.read_text().splitlines()]
    found = [Path(fields[1]) for fields in lines if fields[2] in ("cgroup", "cgroup2")]
    if not any(path.name == "memory" for path in found):
        raise LabError("the lab needs the v1 cgroup controllers mounted under /sys/fs/cgroup")
    return found


def paths(machine: str) -> list[Path]:
    """The machine's cgroup in each hierarchy; they need not exist."""
    return [hierarchy / machine for hierarchy in hierarchies()]


def create(directories: list[Path]) -> None:
    for directory in directories:
        directory.mkdir(exist_ok=True)
        for name in _CPUSET_FILES:
            source = directory.parent / name
            if source.exists():
                (directory / name).write_text(source.read_text())


def members(directories: list[Path]) -> set[int]:
    """Every process in these cgroups or below."""
    pids: set[int] = set()
    for directory in directories:
        for file in directory.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                pids.update(int(line) for line in file.read_text().split())
    return pids - {0, os.getpid()}


def kill(directories: list[Path], seconds: float = 20) -> None:
    """SIGKILL to all in them until nothing is left: the kernel may need a moment to end a namespace."""

    def empty() -> bool:
        left = members(directories)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    wait_for(f"the end of all processes in {directories[0].name}", empty, seconds, every=0.1)


def remove(directories: list[Path], seconds: float = 10) -> None:
    """Take them away, deepest first; an emptied cgroup stays busy for a moment."""
    deadline = time.monotonic() + seconds
    for directory in directories:
        while directory.is_dir():
            for path, _, _ in os.walk(directory, topdown=False):
                with contextlib.suppress(OSError):
                    Path(path).rmdir()
            if directory.is_dir() and time.monotonic() > deadline:
                raise LabError(f"cgroup {directory} cannot be removed")
            time.sleep(0.05)
