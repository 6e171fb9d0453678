"""A fault after or inside each step from drain to settle: the node is back on Docker, and the next run migrates it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.look import cluster
from tests.e2e.site import Site
from tests.e2e.wait import until_none
from tests.faults.cell import cell, note
from tests.faults.look import differs, whole
from tests.faults.matrix import CHOSEN, cells
from tests.faults.run import Runs
from tests.faults.standing import standing


def _cells() -> list[Any]:
    """Only the chosen ones are quick enough for `make test`."""
    return [
        pytest.param(*cell, id="-".join(cell), marks=() if cell in CHOSEN else pytest.mark.slow) for cell in cells()
    ]


@pytest.mark.parametrize(("node", "step", "when"), _cells())
def test_a_failed_step_ends_on_docker(
    site: Site, pristine: dict[str, dict[str, str]], runs: Runs, output: Path, node: str, step: str, when: str
) -> None:
    with cell(site, output, node, step, when) as here:
        ended = runs.migrate([node], (node, step, when))
        here.ran(ended)
        assert (ended.exit_code, ended.outcomes) == (7, {node: "rolled-back"}), ended.log[-3000:]
        assert f"injected {when} {step}" in ended.log
        here.is_back_on_docker()
        assert differs(pristine[node], standing(site.name, node)) == {}


def test_the_next_run_migrates_every_node(site: Site, runs: Runs, output: Path) -> None:
    until_none("the workload to be whole", lambda: whole(site), 300, every=1)
    ended = runs.migrate(["*"])
    migrated = ended.exit_code == 0 and set(ended.outcomes.values()) == {"migrated"}
    row = {"step": "none", "fault": "the next run", "seconds": round(ended.seconds, 1)}
    for node in site.nodes:
        note(output, row | {"node": node, "end": ended.outcomes.get(node, "not chosen")})
    assert migrated, (ended.outcomes, ended.log[-3000:])
    assert all(runtime.startswith("containerd://") for runtime in cluster.runtimes(site).values())
    until_none("the workload to be whole", lambda: whole(site), 300, every=1)
