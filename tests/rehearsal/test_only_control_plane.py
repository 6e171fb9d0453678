"""The only control plane does not come back: it goes back to Docker, however long its API is silent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tasks.lock
from cri_switch.cluster.lease import EVERY, Lease
from cri_switch.model.errors import NodeFailed
from cri_switch.rehearsal.clock import VirtualClock
from tasks import stop
from tests.rehearsal.engineless import go_on
from tests.rehearsal.killing import Cluster


class Keeper:
    """The Lease's thread, in the world's time."""

    def __init__(self, lease: Lease, lost: Callable[[str], None], clock: VirtualClock) -> None:
        self._lease, self._lost, self._clock = lease, lost, clock
        self._next, self._done = clock.now() + EVERY, False
        tick = clock.passed

        def passed() -> None:
            tick()
            self._renew()

        clock.passed = passed

    def start(self) -> None:
        pass

    def stop(self, _seconds: float) -> None:
        self._done = True

    def _renew(self) -> None:
        if self._done or self._clock.now() < self._next:
            return
        self._next = float("inf")  # what it waits for lets time pass too
        why = self._lease.renew()
        self._next = self._clock.now() + EVERY
        if why and not self._done:
            self._done = True
            self._lost(why)


def test_an_api_that_does_not_come_back_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(tmp_path)
    clock = cluster.world.clock
    assert isinstance(clock, VirtualClock)
    monkeypatch.setattr(tasks.lock, "Keeper", lambda lease, lost: Keeper(lease, lost, clock))
    machine = cluster.world.machines["cp1"]
    kubelet_works = machine.kubelet.tick

    def tick() -> None:
        if "containerd" not in (machine.fs.text("/var/lib/kubelet/kubeadm-flags.env") or ""):
            kubelet_works()

    monkeypatch.setattr(machine.kubelet, "tick", tick)
    with pytest.raises(NodeFailed, match="cp1") as caught:
        cluster.run(go_on, 0)
    assert not stop.stopping()
    assert {node.name: node.outcome for node in caught.value.report.nodes}["cp1"] == "rolled-back"
    assert not cluster.world.store.get("Node", "cp1")["spec"].get("unschedulable")  # type: ignore[index]
