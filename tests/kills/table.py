"""`python -m tests.kills.table [KILLS.jsonl...] > docs/resume.md`: what the cells that ran have recorded.

Of several records a later one replaces an earlier one of the same cell.
"""

from __future__ import annotations

import fileinput
import json
import sys
from collections.abc import Iterable
from typing import Any

from cri_switch.model.steps import STEPS
from tests.kills.record import FILE

_HEAD = """\
# Kill, cancel, resume

What a run that was killed or cancelled leaves, and what the next one makes of it. Each row is one SIGKILL (or one
cancel) of a real run while the step was at work: in `drain` with an eviction refused by a PodDisruptionBudget, in
`install_runtime` and `remove_docker` with the package manager running as a unit of its own. Several rows are of one
migration, one after the other. Written by `python -m tests.kills.table` from what the tests recorded; a cell that did
not run has no row. Cluster: `lab` is kubeadm 1.20.2 on real machines, `rehearsal` is the simulated one, with the real
server, worker, command, SSH and HTTP in front.

"Nothing done twice, nothing left" means: no step that was done before a kill was begun again afterwards (the node's
journal), no result file was written again, no attempt was begun without a reason (a reboot, the way back); at the end
every node is Ready on containerd, and no cordon, taint, label, annotation, unit or package of Docker's is left.

Seconds: from the start of the next run until the step was done (for a cancel: until the run had ended).

Two more of the lab are elsewhere: kills on one of three control planes are in `faults.md`; and of two clusters that
were built one after the other under one name, with one server and one result storage, the second was migrated as if
the first, killed in its second node, had never been (`tests/kills/test_one_name.py`).

"""
_COLUMNS = ("step", "node", "killed", "resumed by", "end", "s", "migration", "cluster")


def rows(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The last record of every cell, in the order of the steps."""
    last: dict[tuple[str, ...], dict[str, Any]] = {}
    for line in lines:
        row = json.loads(line)
        last[row["step"], row["node"], row["kill"], row["resume"], row["cluster"]] = row
    return sorted(last.values(), key=_order)


def page(lines: Iterable[str]) -> str:
    """The whole page."""
    table = [_COLUMNS, tuple("---" for _ in _COLUMNS)]
    for row in rows(lines):
        seconds = "" if row["seconds"] is None else f"{row['seconds']:.1f}"
        cells = (row["step"], row["node"], row["kill"], row["resume"], row["end"], seconds, row["migration"])
        table.append((*cells, row["cluster"]))
    return _HEAD + "".join(f"| {' | '.join(cells)} |\n" for cells in table)


def _order(row: dict[str, Any]) -> tuple[str, bool, int, str, str]:
    """The lab first; kills, then cancels."""
    steps = (*STEPS, "remove_docker")
    killed = row["kill"].startswith("flow")
    return (row["cluster"], not killed, steps.index(row["step"]), row["kill"], row["resume"])


def main() -> int:
    """Print the page."""
    with fileinput.input(sys.argv[1:] or f"build/test-output/{FILE}") as lines:
        sys.stdout.write(page(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
