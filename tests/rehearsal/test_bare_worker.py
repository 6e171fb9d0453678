"""A worker on which nothing of the cluster's own runs: the probe pod is what its new runtime is judged by."""

from __future__ import annotations

from pathlib import Path

import pytest

from cri_switch.model.errors import NodeFailed
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from tests.rehearsal.engineless import Engineless


@pytest.fixture
def runs(tmp_path: Path) -> Engineless:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=4, control_planes=1), clock)
    clock.passed = world.tick
    for each in world.store.list("DaemonSet"):
        world.store.delete("DaemonSet", each["metadata"]["name"], each["metadata"]["namespace"])
    clock.sleep(60)
    return Engineless(world, tmp_path)


def test_it_is_migrated_and_proven(runs: Engineless) -> None:
    report = runs.run(runs.migration())
    assert {node.outcome for node in report.nodes} == {"migrated"}


def test_a_wrong_cgroup_driver_is_seen_all_the_same(runs: Engineless, monkeypatch: pytest.MonkeyPatch) -> None:
    for machine in runs.world.machines.values():
        monkeypatch.setattr(machine.containerd, "cgroup", lambda _box: "/system.slice/containerd.service/kubepods:x")
    with pytest.raises(NodeFailed, match=r"w1: w1: container pause of cri-switch/probe-w1-.* is not under kubepods"):
        runs.run(runs.migration())
