"""Which kills: the step, how it is killed, how it is resumed; several on one migration, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

How = Literal[
    "flow",
    "flow and worker",
    "flow, connection cut",
    "flow, node rebooted",
    "flow, server restarted",
    "flow, database lost",
    "flow, results lost",
]
By = Literal["retry", "run", "cli"]


@dataclass(frozen=True)
class Cell:
    """SIGKILL of what `how` names while `step` of `node` is at work; the run that `by` starts goes on."""

    node: str
    step: str
    how: How
    by: By

    def __str__(self) -> str:
        return f"{self.node}-{self.step}-{self.how}-{self.by}".replace(", ", "-").replace(" ", "-")


@dataclass(frozen=True)
class Cancel:
    """A run that was `started` so is cancelled in the cell's step; `by` what."""

    started: By
    cell: Cell
    by: Literal["prefect flow-run cancel", "Ctrl-C, and again", "SIGTERM"]


CUT: How = "flow, connection cut"
REBOOT: How = "flow, node rebooted"
SERVER: How = "flow, server restarted"
BOTH: How = "flow and worker"
DATABASE: How = "flow, database lost"
RESULTS: How = "flow, results lost"

CHAINS: dict[str, tuple[Cell, ...]] = {
    "first": (
        Cell("w1", "drain", "flow", "retry"),
        Cell("w1", "start_kubelet", CUT, "run"),
        Cell("w2", "install_runtime", "flow", "cli"),
        Cell("w2", "start_kubelet", REBOOT, "run"),
        Cell("w1", "remove_docker", SERVER, "retry"),
        Cell("w2", "remove_docker", BOTH, "cli"),
    ),
    "second": (
        Cell("w1", "drain", BOTH, "run"),
        Cell("w1", "start_kubelet", "flow", "cli"),
        Cell("w2", "drain", REBOOT, "run"),
        Cell("w2", "install_runtime", CUT, "retry"),
        Cell("cp1", "start_kubelet", SERVER, "run"),
        Cell("w1", "remove_docker", "flow", "retry"),
        Cell("w2", "remove_docker", CUT, "run"),
    ),
    "third": (
        Cell("w1", "drain", CUT, "cli"),
        Cell("w2", "drain", SERVER, "run"),
        Cell("w2", "install_runtime", BOTH, "run"),
        Cell("w2", "start_kubelet", BOTH, "retry"),
        Cell("w1", "remove_docker", REBOOT, "cli"),
    ),
    "fourth": (Cell("w2", "install_runtime", REBOOT, "run"),),
    "fifth": (Cell("w2", "install_runtime", SERVER, "retry"),),
    "sixth": (
        Cell("w1", "start_kubelet", DATABASE, "run"),
        Cell("w2", "stop_docker", REBOOT, "run"),
        Cell("w2", "start_kubelet", RESULTS, "run"),
        Cell("w1", "remove_docker", RESULTS, "cli"),
        Cell("w2", "remove_docker", DATABASE, "cli"),
    ),
}
"""Each of the four steps is killed in each of the first five ways, and each way in resumes each step."""

CANCELS = (
    Cancel("run", Cell("w1", "drain", "flow", "cli"), "prefect flow-run cancel"),
    Cancel("cli", Cell("w1", "start_kubelet", "flow", "cli"), "Ctrl-C, and again"),
    Cancel("cli", Cell("w2", "install_runtime", "flow", "run"), "SIGTERM"),
    Cancel("run", Cell("w2", "start_kubelet", "flow", "cli"), "prefect flow-run cancel"),
    Cancel("cli", Cell("w1", "remove_docker", "flow", "run"), "Ctrl-C, and again"),
)
"""The cell's kill is not done: only where it is counts."""
