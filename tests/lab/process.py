"""Processes: run and wait, and know later whether a recorded one still is the same."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.lab.report import LabError


@dataclass(frozen=True)
class Process:
    """A process by id, start time and boot, so that a reused id is never taken for it."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Process:
        return cls(pid, _start_time(pid), boot_id())

    @property
    def alive(self) -> bool:
        try:
            return self.boot == boot_id() and self.started == _start_time(self.pid)
        except (OSError, IndexError):
            return False


def run(
    command: Sequence[str],
    *,
    stdin: str | IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 300,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; a failure is a LabError with the end of what it said."""
    try:
        done = subprocess.run(
            command,
            input=stdin if isinstance(stdin, str) else None,
            stdin=(stdin or subprocess.DEVNULL) if not isinstance(stdin, str) else None,
            capture_output=True,
            text=True,
            errors="replace",
            env=env,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{_short(command)}: not finished after {timeout:.0f} s") from error
    if check and done.returncode != 0:
        said = (done.stdout + done.stderr).strip()[-3000:]
        raise LabError(f"{_short(command)}: exit code {done.returncode}\n{said}")
    return done


def wait_for(what: str, condition: Callable[[], bool], seconds: float, every: float = 0.3) -> None:
    """Poll until the condition is true; past the deadline, a LabError that names it."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(every)


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_time(pid: int) -> int:
    """Field 22 of /proc/PID/stat, counted after the name, which may hold spaces; a zombie counts as gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    if fields[0] in "ZX":
        raise ProcessLookupError(pid)
    return int(fields[19])


def _short(command: Sequence[str]) -> str:
    text = " ".join(command)
    return text if len(text) < 300 else text[:300] + " ..."
