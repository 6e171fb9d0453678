"""Where failures are allowed: the others go on, Docker's packages stay, and the run says who failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cri_switch.model.errors import NodeFailed
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.faults import FAULTS
from tests.rehearsal.engineless import Engineless


def test_one_failure_is_allowed(tmp_path: Path) -> None:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=3, control_planes=1), clock)
    clock.passed = world.tick
    runs = Engineless(world, tmp_path)
    world.machines["w2"].fault_hook = FAULTS["runtime-fails-once"].begin(world, "w2")
    with pytest.raises(NodeFailed, match=r"not every node reached the target:\nw2: ") as caught:
        runs.run(runs.migration(max_failures=1))
    outcomes = {node.name: node.outcome for node in caught.value.report.nodes}
    assert outcomes == {"w1": "migrated", "w2": "rolled-back", "cp1": "migrated"}
    assert all(machine.packages.installed(machine.docker_package) for machine in world.machines.values())
    assert {node.outcome for node in runs.run(runs.migration(max_failures=1)).nodes} == {"migrated", "skipped"}
    assert not any(machine.packages.installed(machine.docker_package) for machine in world.machines.values())
