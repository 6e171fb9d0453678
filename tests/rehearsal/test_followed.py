"""A control-plane node that does not come back: its journals are in the run's log, and the last lines in the error."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tasks.followed
from cri_switch.model.errors import NodeFailed
from cri_switch.node.follow import Follower
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.faults import FAULTS
from tests.rehearsal.engineless import Engineless

LINE = "skipping pod synchronization"
_FOLLOWER = "follow cp1"


def test_the_last_lines_are_attached_when_the_deadline_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=3, control_planes=1), clock)
    clock.passed = world.tick
    runs = Engineless(world, tmp_path)
    world.machines["cp1"].fault_hook = FAULTS["never-ready"].begin(world, "cp1")
    monkeypatch.setattr(tasks.followed, "Follower", functools.partial(Follower, every=0.01))
    read = threading.Event()

    def patient(what: str, act: Callable[[], Any]) -> Any:
        """The virtual time of the wait passes only once the follower has read what the kubelet says in it."""
        if threading.current_thread().name == _FOLLOWER:
            answer = act()
            if "--after-cursor" in what and LINE in answer.stdout:
                read.set()
            return answer
        for _ in range(1000):
            if read.is_set() or _FOLLOWER not in {thread.name for thread in threading.enumerate()}:
                break
            world.machines["cp1"].journal.add("kubelet.service", LINE)
            read.wait(0.01)
        return act()

    runs.outside = patient
    with caplog.at_level(logging.INFO, logger="rehearsal"), pytest.raises(NodeFailed) as caught:
        runs.run(runs.migration(timeouts={"node_ready": 30}))
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("node=cp1 | ")]
    assert any(f"cp1 kubelet[1]: {LINE}" in line for line in said), said
    assert any("crictl ps: etcd of kube-system/etcd-cp1 (attempt 0) is running" in line for line in said), said
    text = str(caught.value)
    assert "cp1: " in text
    assert "back on Docker: " in text
    assert f"cp1 kubelet[1]: {LINE}" in text.partition("before that the node said:")[2]
    failed = next(line for line in caplog.messages if " failed: cp1: Ready on containerd" in line)
    assert f"cp1 kubelet[1]: {LINE}" in failed.partition("\nstate: ")[2]
    assert "node=w1 |" not in caplog.text, "only a control plane is followed"
