"""One cell of the table: how the node stood before, what must hold at its end, and its line in the record."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.e2e.site import Site
from tests.e2e.wait import until_none
from tests.faults.look import as_it_stands, differs, not_once, own_pods, whole
from tests.faults.run import Ended

BACK = "back on Docker"


class Cell:
    """A node from before its fault; `row` is what is recorded of it."""

    def __init__(self, site: Site, node: str, row: dict[str, Any]) -> None:
        until_none("the workload to be whole before the fault", lambda: whole(site), 300, every=1)
        self.site, self.node, self.row = site, node, row
        self.before: dict[str, Any] = as_it_stands(site, node)
        self.pods: Counter[str] = own_pods(site, node)
        assert self.before["runtime"].startswith("docker://")
        row["docker"] = self.before["runtime"]

    def ran(self, ended: Ended) -> None:
        """Note a run's seconds."""
        self.row |= {"seconds": round(ended.seconds, 1), "rollback": rollback_seconds(ended)}

    def is_back_on_docker(self) -> None:
        """Its pods run once, in Docker, and the machine and the node object are as they were."""
        begun = time.monotonic()
        what = f"every pod of {self.node} to run there once"
        until_none(what, lambda: not_once(self.site, self.node, self.pods), 300, every=1)
        self.row["again"] = round(time.monotonic() - begun, 1)
        self._is_as_before()
        self.row["end"] = BACK

    def is_untouched(self) -> None:
        """As `is_back_on_docker`, and at once."""
        assert not_once(self.site, self.node, self.pods) == []
        self._is_as_before()
        self.row["end"] = "untouched"

    def _is_as_before(self) -> None:
        wrong = differs(self.before, as_it_stands(self.site, self.node))
        assert not wrong, f"not as before, each (then, now): {wrong}"


@contextmanager
def cell(site: Site, output: Path, node: str, step: str, fault: str) -> Iterator[Cell]:
    """A cell, recorded also when it is not as expected."""
    row: dict[str, Any] = {"node": node, "step": step, "fault": fault, "end": "not as expected"}
    try:
        yield Cell(site, node, row)
    except AssertionError as problem:
        row |= {"end": "not as expected", "why": str(problem)[:500]}
        raise
    finally:
        note(output, row)


def note(output: Path, row: dict[str, Any]) -> None:
    """Append a line to the record."""
    with (output / "faults.jsonl").open("a") as stream:
        stream.write(json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds")} | row) + "\n")


def rollback_seconds(ended: Ended) -> float | None:
    """From the failure to the node back and proven, by the run's own log."""
    times = []
    for mark in (r"step=rollback started", r"step=rollback (?!started)"):
        found = re.search(rf"^(\d\d:\d\d:\d\d\.\d+) .*{mark}", ended.log, re.MULTILINE)
        if not found:
            return None
        times.append(datetime.strptime(found[1], "%H:%M:%S.%f").replace(tzinfo=UTC))
    return round((times[1] - times[0]).total_seconds() % 86400, 1)
