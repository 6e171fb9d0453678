"""A bug between the batches: the run has its report all the same, and leaves neither taint nor hold nor Lease."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from cri_switch.cluster.lease_holder import NAME, NAMESPACE
from cri_switch.model.errors import CriSwitchError
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.world import World
from tests.rehearsal.engineless import Engineless


@pytest.fixture
def runs(tmp_path: Path) -> Engineless:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=4, control_planes=1), clock)
    clock.passed = world.tick
    return Engineless(world, tmp_path)


def tainted(world: World) -> list[str]:
    return [
        node["metadata"]["name"]
        for node in world.store.list("Node")
        if any("cri-switch" in taint["key"] for taint in node["spec"].get("taints") or [])
    ]


@pytest.mark.parametrize("where", ["gate", "verify_cluster", "cordon_batch"])
def test_a_bug_between_the_batches(runs: Engineless, where: str) -> None:
    seen = []

    def buggy(*_: object) -> None:
        seen.append(tainted(runs.world))
        raise TypeError("unsupported operand")

    module = "flows.batch" if where == "cordon_batch" else "flows.migrate_cluster"
    with patch(f"{module}.{where}", buggy), pytest.raises(CriSwitchError) as caught:
        runs.run(runs.migration())
    assert "TypeError: unsupported operand" in str(caught.value)
    assert "bug of cri-switch" in caught.value.next_step
    arrived = {"gate": 1, "verify_cluster": 4, "cordon_batch": 0}[where]
    outcomes = [node.outcome for node in caught.value.report.nodes]
    assert (outcomes.count("migrated"), outcomes.count("untouched")) == (arrived, 4 - arrived)
    assert "report-rehearsal" in [page.key for page in runs.artifacts]
    assert bool(seen[0]) == (where != "verify_cluster"), "those that wait have a taint"
    assert tainted(runs.world) == []
    assert not (runs.world.store.get("Lease", NAME, NAMESPACE) or {"spec": {}})["spec"].get("holderIdentity")
    assert {node.outcome for node in runs.run(runs.migration()).nodes} <= {"migrated", "skipped"}


def test_an_error_of_the_engine_leaves_it_to_the_next_run(runs: Engineless) -> None:
    def away(*_: object) -> None:
        raise httpx.ConnectError("all connection attempts failed")

    with patch("flows.migrate_cluster.gate", away), pytest.raises(httpx.ConnectError):
        runs.run(runs.migration())
    assert {node.outcome for node in runs.run(runs.migration()).nodes} == {"migrated", "skipped"}
    assert tainted(runs.world) == []
