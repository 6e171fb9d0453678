"""`python -m tests.faults.table [FAULTS.jsonl] > docs/faults.md`: what the cells that ran have recorded."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cri_switch.model.steps import STEPS

_HEAD = """\
# Faults

What is left of a node when one of its steps fails. Each row is one run of `cri-switch migrate` on the lab (kubeadm
1.20.2, Debian 11, one control plane, two workers) with one fault injected: `after` a step is done, or `inside` it,
right after its first change of the node. Written by `python -m tests.faults.table` from what `make test-lab-all`
recorded; a cell that did not run has no row.

"Back on Docker" means that all of this was seen, from outside of the program: exit code 7, outcome `rolled-back`; every
pod that must be on the node Ready, each of its containers running once in Docker, no task or shim of Kubernetes' in
containerd; files, owners and modes, units, packages, holds, marks, FORWARD policy and sysctls, and the node's
annotations, labels, cordon and taints as before.

Seconds: of the way back (from the failure to the node proven and uncordoned), then of the whole run.

"""
_COLUMNS = ("step", "fault", "node", "runtime before", "end state", "way back, s", "run, s")


def rows(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The last record of every cell, in the order of the steps."""
    last: dict[tuple[str, str, str], dict[str, Any]] = {}
    for line in lines:
        row = json.loads(line)
        last[row["step"], row["fault"], row["node"]] = row
    return sorted(last.values(), key=_order)


def page(lines: Iterable[str]) -> str:
    """The whole page."""
    table = [_COLUMNS, tuple("---" for _ in _COLUMNS)]
    for row in rows(lines):
        table.append(
            (
                "" if row["step"] == "none" else row["step"],
                row["fault"],
                row["node"],
                row.get("docker", ""),
                row["end"],
                _seconds(row.get("rollback")),
                _seconds(row.get("seconds")),
            )
        )
    return _HEAD + "".join(f"| {' | '.join(cells)} |\n" for cells in table)


def _order(row: dict[str, Any]) -> tuple[int, str, str]:
    step = row["step"]
    return (STEPS.index(step) if step in STEPS else len(STEPS), row["fault"], row["node"])


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def main() -> int:
    """Print the page."""
    source = Path(sys.argv[1] if len(sys.argv) > 1 else "build/test-output/faults.jsonl")
    sys.stdout.write(page(source.read_text().splitlines()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
