"""The way back on a disk that something has filled: the reserve is its room, and room that comes soon is waited for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.errors import NodeFailed
from tasks.step import stands
from tests.rehearsal.engineless import go_on
from tests.rehearsal.killing import Cluster


class Filled:
    """w1's disk from when containerd is installed, for so many seconds; a `greedy` filler takes what is freed too."""

    def __init__(self, cluster: Cluster, seconds: float, *, greedy: bool) -> None:
        self.fs, self.now = cluster.world.machines["w1"].fs, cluster.world.clock.now
        self.seconds, self.greedy = seconds, greedy
        self.since = 0.0

    def outside(self, _what: str, act: Callable[[], Any]) -> Any:
        begins = not self.since and stands().get("w1", "").startswith("configure_runtime (not")
        if begins:
            self.since = self.now()
        if self.since and self.now() < self.since + self.seconds:
            self.fs.room = 0 if begins or self.greedy else self.fs.room
        else:
            self.fs.room = None
        return act()


def ended(cluster: Cluster, outside: Callable[[str, Callable[[], Any]], Any]) -> tuple[str, str]:
    """How w1 ended, and the error."""
    with pytest.raises(NodeFailed) as caught:
        cluster.run(outside, 0)
    (row,) = [node for node in caught.value.report.nodes if node.name == "w1"]
    return row.outcome, str(caught.value)


@pytest.mark.parametrize("greedy", [False, True], ids=["the reserve is room", "what is freed is taken too"])
def test_a_disk_that_is_full_for_a_while_is_outlasted(tmp_path: Path, greedy: bool) -> None:
    cluster = Cluster(tmp_path)
    outcome, said = ended(cluster, Filled(cluster, 30, greedy=greedy).outside)
    assert outcome == "rolled-back", said
    assert "No space left on device" in said
    cluster.run(go_on, 1)
    assert cluster.left() == []


def test_one_that_stays_full_is_told_when_all_but_the_kubelet_is_back(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    w1 = cluster.world.machines["w1"]
    flags = w1.fs.text("/var/lib/kubelet/kubeadm-flags.env")
    outcome, said = ended(cluster, Filled(cluster, 1e9, greedy=False).outside)
    assert outcome == "unhealthy", said
    assert "/ is full, 31 MB are free" in said
    assert "make room on the node: df -h" in said
    assert w1.systemd.active("docker.service")
    assert not w1.systemd.active("kubelet.service")
    assert w1.fs.text("/var/lib/kubelet/kubeadm-flags.env") == flags
    assert [entry["event"] for entry in cluster.journal("w1") if entry["step"] == "rollback"] == ["started"] * 6
    w1.fs.room = None
    cluster.runs.outside = go_on
    assert cluster.runs.rollback(cluster.runs.migration(), "w1").nodes[0].outcome == "rolled-back"
    cluster.run(go_on, 1)
    assert cluster.left() == []


def test_one_that_takes_the_reserve_too_is_told_with_what_helps(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    outcome, said = ended(cluster, Filled(cluster, 1e9, greedy=True).outside)
    assert outcome == "unhealthy"
    assert "No space left on device" in said
    assert "make room on w1: df -h" in said
