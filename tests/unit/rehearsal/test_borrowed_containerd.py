"""A self-contained Docker that took the staged containerd for its own, as it does where it starts beside one."""

from __future__ import annotations

import pytest

from cri_switch.node.actions.note_before import note_before
from cri_switch.node.actions.undo import undo
from cri_switch.node.facts.own_containerd import OWN_CONTAINERD
from cri_switch.node.facts.units import units
from tests.unit.rehearsal.switching import MINE, Switching


def _staged() -> Switching:
    cluster = Switching(self_contained_docker=("w1",))
    cluster.perform(note_before(MINE, "containerd", {}))
    cluster.act("stage_packages")
    cluster.act("stage_images")
    assert cluster.machine.systemd.active("containerd.service")
    return cluster


def _own(cluster: Switching) -> bool:
    return OWN_CONTAINERD.read(cluster.connection)


def _whole(cluster: Switching) -> None:
    """On Docker as before, and pods can be made."""
    assert not cluster.machine.packages.installed("containerd")
    assert not cluster.machine.fs.exists("/run/containerd/containerd.sock")
    assert _own(cluster)
    cluster.pass_time(60)
    assert cluster.ready()[0] == "True"
    assert cluster.ready()[2].startswith("docker://")
    assert cluster.waiting() == set()
    assert [box for box in cluster.machine.docker.boxes.values() if box.running and box.sandbox]
    assert cluster.world.complaints == []


def test_it_is_seen_broken_without_the_way_back() -> None:
    """What was seen on a node: containerd purged, Docker up, and no pod starts."""
    cluster = _staged()
    cluster.sudo("systemctl", "restart", "docker.service")
    assert not _own(cluster)
    cluster.sudo("systemctl", "stop", "containerd.service")
    cluster.pass_time(60)
    assert any("Error while dialing dial unix:///run/containerd" in message for _reason, message in cluster.waiting())


@pytest.mark.parametrize("last", ["stage_images", "stop_kubelet"])
def test_the_way_back_takes_docker_off_it(last: str) -> None:
    cluster = _staged()
    cluster.sudo("systemctl", "restart", "docker.service")
    cluster.pass_time(30)
    assert not _own(cluster)
    if last == "stop_kubelet":
        cluster.act("stop_kubelet")
    done = cluster.perform(undo(cluster.migration, cluster.attempt))
    assert "dockerd taken off the containerd that was installed" in done.summary
    _whole(cluster)
    assert cluster.perform(undo(cluster.migration, cluster.attempt)).lines == []


def test_a_docker_on_its_own_one_is_not_disturbed() -> None:
    cluster = _staged()
    cluster.pass_time(30)
    before = {box.id for box in cluster.machine.docker.boxes.values() if box.running}
    cluster.perform(undo(cluster.migration, cluster.attempt))
    assert {box.id for box in cluster.machine.docker.boxes.values() if box.running} == before
    _whole(cluster)


def test_a_reboot_between_its_stage_and_its_turn_changes_nothing() -> None:
    """containerd is started at boot only once it is the node's runtime."""
    cluster = _staged()
    cluster.machine.reboot()
    cluster.pass_time(60)
    assert _own(cluster)
    assert not cluster.machine.systemd.active("containerd.service")
    for name in ("stop_kubelet", "stop_docker", "install_runtime", "configure_runtime", "start_runtime"):
        cluster.act(name)
    assert units("containerd.service").read(cluster.connection)["containerd.service"].enabled


def test_a_docker_on_the_machines_containerd_is_migrated_all_the_same() -> None:
    cluster = _staged()
    cluster.sudo("systemctl", "restart", "docker.service")
    cluster.upto("remove_docker")
    cluster.pass_time(30)
    assert cluster.ready()[2].startswith("containerd://")
    assert cluster.world.complaints == []
