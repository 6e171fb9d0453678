"""`python -m tests.faults.table [FAULTS.jsonl...] > docs/faults.md`: what the cells that ran have recorded.

Of several records a later one replaces an earlier one of the same cell.
"""

from __future__ import annotations

import fileinput
import json
import sys
import textwrap
from collections.abc import Iterable
from typing import Any

from cri_switch.model.steps import STEPS
from tests.faults.matrix import unseen

_HEAD = """\
# Faults

What is left of a node when something breaks. Each row was seen on the lab (kubeadm 1.20.2, Debian 11: one control
plane and two workers, `w2` with a self-contained Docker; or three control planes and a worker, cgroup driver systemd).
Written by `python -m tests.faults.table` from what `make test-lab-all` recorded; a cell that did not run has no row,
and is named below its table.

"Back on Docker" means that all of this was seen, from outside of the program: the exit code and the outcome
`rolled-back`; every pod that must be on the node Ready, each of its containers running once in Docker, no task or shim
of Kubernetes' in containerd; files, owners and modes, units, packages, holds, marks, FORWARD policy, sysctls, and the
node's annotations, labels, cordon and taints as before. "Unhealthy" means exit code 7, no further node begun, and the
node's state, what was done and the command to type in the run's last lines; that command was then typed.

Seconds: of the way back (from the failure to the node proven and uncordoned), then of the whole run, on a machine of
two cores that did much else beside.
"""
_MATRIX = "A step fails"
_SECTIONS = {
    _MATRIX: "One fault a run: `after` a step is done, or `inside` it, right after its first change.",
    "One of three control planes": "The same, and no other control plane is touched.",
    "Other faults": "What is broken beside or instead of a step, and what the run does then.",
    "The next run": "With nothing mended but the fault.",
}
_COLUMNS = ("step", "fault", "node", "runtime before", "end state", "way back, s", "run, s")


def rows(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The last record of every cell, in the order of the steps."""
    last: dict[tuple[str, str, str], dict[str, Any]] = {}
    for line in lines:
        row = json.loads(line)
        last[row["step"], row["fault"], row["node"]] = row
    return sorted(last.values(), key=_order)


def page(lines: Iterable[str]) -> str:
    """The whole page. `seen` in a record is a person's word on a cell that was not as expected."""
    found = rows(lines)
    text = _HEAD
    for name, meaning in _SECTIONS.items():
        cells = [_COLUMNS, tuple("---" for _ in _COLUMNS), *(_cells(row) for row in found if _section(row) == name)]
        if len(cells) > 2:
            text += f"\n## {name}\n{meaning}\n\n" + "".join(f"| {' | '.join(each)} |\n" for each in cells)
        if name == _MATRIX and (left := unseen({(row["node"], row["step"], row["fault"]) for row in found})):
            text += "".join(f"\n{line}" for line in textwrap.wrap(left, 120)) + "\n"
    return text


def _section(row: dict[str, Any]) -> str:
    if row["fault"].startswith("the next run"):
        return "The next run"
    if "three" in row["fault"]:
        return "One of three control planes"
    return _MATRIX if row["fault"] in ("after", "inside") else "Other faults"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        "" if row["step"] == "none" else row["step"],
        row["fault"],
        row["node"],
        row.get("docker", ""),
        row["end"] + (f": {row['seen']}" if "seen" in row else ""),
        _seconds(row.get("rollback")),
        _seconds(row.get("seconds")),
    )


def _order(row: dict[str, Any]) -> tuple[int, str, str]:
    step = row["step"]
    return (STEPS.index(step) if step in STEPS else len(STEPS), row["fault"], row["node"])


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def main() -> int:
    """Print the page."""
    with fileinput.input(sys.argv[1:] or "build/test-output/faults.jsonl") as lines:
        sys.stdout.write(page(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
