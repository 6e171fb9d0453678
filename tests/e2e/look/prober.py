"""The prober as a process, and what it saw."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.e2e.wait import until
from tests.lab.workloads import SERVICE_URL


@dataclass(frozen=True)
class Record:
    """A prober's file, while it writes it."""

    path: Path

    def failures(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Requests that failed, and that were asked between start and end."""
        return [line for line in self.all_failures() if start <= datetime.fromisoformat(line["time"]) <= end]

    def all_failures(self) -> list[dict[str, Any]]:
        """Requests that failed, at any time."""
        return [line for line in self._lines() if "error" in line]

    def longest_gap(self, start: datetime, end: datetime) -> float:
        """Seconds of the longest time without a good answer that ended between start and end; 0 for less than one."""
        found = [line for line in self._lines() if "gap" in line]
        return max((line["gap"] for line in found if start <= datetime.fromisoformat(line["time"]) <= end), default=0.0)

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def summary(self) -> dict[str, Any]:
        """The last line, once it has ended."""
        last: dict[str, Any] = json.loads(self.path.read_text().splitlines()[-1])
        assert last.get("summary"), f"the prober did not end well: {last}"
        return last


@contextmanager
def probing(inside: list[str], out: Path, url: str = SERVICE_URL, *more: str) -> Iterator[Record]:
    """Run it, and end it, by its own id; what it saw stays readable."""
    command = [*inside, sys.executable, "-m", "tests.lab.prober", "--url", url, "--out", str(out), *more]
    log = out.with_suffix(".log")
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        until("the prober's file", out.exists, 300)
        yield Record(out)
        assert process.poll() is None, f"the prober ended by itself: {log.read_text()}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
