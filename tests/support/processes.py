"""A program of a test's own in a process group of its own, ended by that group's id and no other."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class OwnProcess:
    """Starts at once; its output goes to `log`."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                list(argv),
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process, and its group."""
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def tail(self, characters: int = 4000) -> str:
        """The end of its output, for an assertion's message."""
        return self.log.read_text(errors="replace")[-characters:]

    def signal(self, number: int) -> None:
        """To the whole group, if anything of it is left."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def end(self, seconds: float = 10) -> None:
        """SIGTERM, and SIGKILL to what is left of the group after `seconds`."""
        self.signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.signal(signal.SIGKILL)
        self.process.wait(seconds)


def flow_processes(worker: int, run_id: str) -> list[int]:
    """The worker's descendants that execute this flow run, by their environment; the youngest last."""
    mark = f"PREFECT__FLOW_RUN_ID={run_id}".encode()
    return [pid for pid in sorted(_descendants(worker)) if mark in _environment(pid)]


def _descendants(pid: int) -> set[int]:
    out: set[int] = set()
    wanted = [pid]
    while wanted:
        for task in Path(f"/proc/{wanted.pop()}/task").glob("*"):
            try:
                children = {int(child) for child in (task / "children").read_text().split()}
            except OSError:
                continue
            wanted += children - out
            out |= children
    return out


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
