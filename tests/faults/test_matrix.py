"""A fault after or inside each step from drain to settle: the node is back on Docker, and the next run migrates it."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.steps import STEPS
from tests.e2e.look import cluster
from tests.e2e.site import Site
from tests.e2e.wait import until_none
from tests.faults.look import as_it_stands, differs, not_once, own_pods, whole
from tests.faults.run import Ended, Runs
from tests.faults.standing import standing

_NODES = ("w1", "w2", "cp1")
_FROM = STEPS[STEPS.index("drain") :]
_CHOSEN = (
    ("w1", "stop_docker", "after"),
    ("w1", "start_kubelet", "inside"),
    ("w2", "install_runtime", "after"),
    ("cp1", "start_kubelet", "after"),
)
# containerd is installed there by stage, or runs already: the step changes nothing, so it has no inside
_UNCHANGED = (("w2", "install_runtime", "inside"),)


def _cells() -> list[Any]:
    """The chosen ones first, then all others, node by node."""
    every = [(node, step, "after") for node in _NODES for step in _FROM]
    every += [(node, step, "inside") for node in _NODES for step in _FROM]
    rest = [cell for cell in every if cell not in (*_CHOSEN, *_UNCHANGED)]
    return [
        *(pytest.param(*cell, id="-".join(cell)) for cell in _CHOSEN),
        *(pytest.param(*cell, id="-".join(cell), marks=pytest.mark.slow) for cell in rest),
    ]


@pytest.mark.parametrize(("node", "step", "when"), _cells())
def test_a_failed_step_ends_on_docker(
    site: Site, pristine: dict[str, dict[str, str]], runs: Runs, output: Path, node: str, step: str, when: str
) -> None:
    until_none("the workload to be whole before the fault", lambda: whole(site), 120, every=1)
    before, pods = as_it_stands(site, node), own_pods(site, node)
    assert before["runtime"].startswith("docker://")
    row: dict[str, Any] = {"node": node, "step": step, "fault": when, "end": "not as expected"}
    try:
        ended = runs.migrate([node], (node, step, when))
        row |= {"seconds": round(ended.seconds, 1), "rollback": _rollback_seconds(ended)}
        assert (ended.exit_code, ended.outcomes) == (7, {node: "rolled-back"}), ended.log[-3000:]
        assert f"injected {when} {step}" in ended.log
        row |= {"docker": before["runtime"], "again": _whole_again(site, node, pods)}
        assert differs(before, as_it_stands(site, node)) == {}
        assert differs(pristine[node], standing(site.name, node)) == {}
        row["end"] = "back on Docker"
    except AssertionError as problem:
        row["why"] = str(problem)[:500]
        raise
    finally:
        _note(output, row)


def test_the_next_run_migrates_every_node(site: Site, runs: Runs, output: Path) -> None:
    until_none("the workload to be whole", lambda: whole(site), 120, every=1)
    ended = runs.migrate(["*"])
    migrated = ended.exit_code == 0 and set(ended.outcomes.values()) == {"migrated"}
    row = {"step": "none", "fault": "the next run", "seconds": round(ended.seconds, 1)}
    for node in site.nodes:
        _note(output, row | {"node": node, "end": ended.outcomes.get(node, "not chosen")})
    assert migrated, (ended.outcomes, ended.log[-3000:])
    assert all(runtime.startswith("containerd://") for runtime in cluster.runtimes(site).values())
    until_none("the workload to be whole", lambda: whole(site), 120, every=1)


def _whole_again(site: Site, node: str, pods: Any) -> float:
    """Seconds after the run's end until each pod that must be on the node is Ready and runs there just once."""
    begun = time.monotonic()
    until_none(f"every pod of {node} to run there once", lambda: not_once(site, node, pods), 120, every=1)
    return round(time.monotonic() - begun, 1)


def _rollback_seconds(ended: Ended) -> float | None:
    """From the failure to the node back and proven, by the run's own log."""
    times = []
    for mark in (r"step=rollback started", r"step=rollback (?!started)"):
        found = re.search(rf"^(\d\d:\d\d:\d\d\.\d+) .*{mark}", ended.log, re.MULTILINE)
        if not found:
            return None
        times.append(datetime.strptime(found[1], "%H:%M:%S.%f").replace(tzinfo=UTC))
    return round((times[1] - times[0]).total_seconds() % 86400, 1)


def _note(output: Path, row: dict[str, Any]) -> None:
    with (output / "faults.jsonl").open("a") as stream:
        stream.write(json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds")} | row) + "\n")
