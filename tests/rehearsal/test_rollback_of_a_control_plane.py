"""`rollback` of one of three control planes: it stops the node's etcd, which the others must be able to spare."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.errors import NotProven
from tests.rehearsal.engineless import go_on
from tests.rehearsal.killing import Cluster
from tests.rehearsal.test_three_control_planes import killed_in, power_off, stop_etcd, with_etcd


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path, control_planes=3)


@pytest.fixture
def migrated(cluster: Cluster) -> Cluster:
    """All nodes on containerd; Docker's packages are there still."""
    cluster.run(go_on, 0, remove_docker="never")
    return cluster


def runtime(cluster: Cluster, name: str) -> str:
    node = cluster.world.store.get("Node", name)
    assert node is not None
    assert not node["spec"].get("unschedulable")
    return str(node["status"]["nodeInfo"]["containerRuntimeVersion"]).partition(":")[0]


def test_one_that_the_others_can_spare_goes_back(migrated: Cluster) -> None:
    migrated.rollback("cp2", 1)
    assert runtime(migrated, "cp2") == "docker"
    assert with_etcd(migrated.world) == ["cp1", "cp2", "cp3"]


@pytest.mark.parametrize("down", [power_off, stop_etcd])
def test_another_that_is_down_holds_it_where_it_is(migrated: Cluster, down: Callable[..., None]) -> None:
    """One of three members would be left; nothing is touched, and what is asked for is no half-way node."""
    down(migrated.world, "cp3")
    before = copy.deepcopy(migrated.world.store.get("Node", "cp2")), migrated.journal("cp2")
    with pytest.raises(NotProven, match=r"cp2 must not go back to Docker now: .*(10\.77\.0\.13|cp3)") as caught:
        migrated.rollback("cp2", 1)
    assert caught.value.state == "nothing was touched"
    assert "etcd" in caught.value.next_step
    assert runtime(migrated, "cp2") == "containerd"
    assert with_etcd(migrated.world) == ["cp1", "cp2"]
    now = migrated.world.store.get("Node", "cp2")
    assert before[0] is not None
    assert now is not None
    assert (now["spec"], now["metadata"]) == (before[0]["spec"], {**before[0]["metadata"], **_version(now)})
    assert migrated.journal("cp2") == before[1]


def _version(node: dict[str, Any]) -> dict[str, Any]:
    """What its status writes raise."""
    return {"resourceVersion": node["metadata"]["resourceVersion"]}


def test_one_that_dies_while_it_is_drained(migrated: Cluster) -> None:
    """The drain may have taken an hour: its kubelet runs on, and it is uncordoned."""

    def outside(what: str, act: Callable[[], Any]) -> Any:
        node = migrated.world.store.get("Node", "cp2")
        if node and node["spec"].get("unschedulable") and migrated.world.machines["cp3"].up:
            power_off(migrated.world, "cp3")
        return act()

    migrated.runs.outside = outside
    with pytest.raises(NotProven, match=r"cp2 must not go back to Docker now: .*10\.77\.0\.13") as caught:
        migrated.rollback("cp2", 1)
    assert caught.value.state == "it was drained; node/cp2 uncordoned; it serves on the new runtime still"
    assert runtime(migrated, "cp2") == "containerd"
    assert with_etcd(migrated.world) == ["cp1", "cp2"]


def test_one_whose_etcd_is_out_is_always_taken_back(cluster: Cluster) -> None:
    """Only that brings the member back, and with it what is not well elsewhere may be."""
    killed_in(cluster, "cp2", "install_runtime", 2)
    assert "cp2" not in with_etcd(cluster.world)
    fs = cluster.world.machines["cp3"].fs
    fs.remove("/etc/kubernetes/manifests/kube-apiserver.yaml")
    for _ in range(20):
        cluster.world.clock.sleep(1)
    cluster.runs.outside = go_on
    cluster.rollback("cp2", 1)
    assert runtime(cluster, "cp2") == "docker"
    assert with_etcd(cluster.world) == ["cp1", "cp2", "cp3"]


@pytest.mark.parametrize("step", ["drain", "stop_docker"])
def test_one_whose_etcd_runs_in_docker_still_is_not_stopped_and_not_held(cluster: Cluster, step: str) -> None:
    """Drained, or its kubelet stopped: the way back only starts and uncordons."""
    killed_in(cluster, "cp2", step, 0)
    assert "cp2" in with_etcd(cluster.world)
    power_off(cluster.world, "cp3")
    out: list[str] = []

    def outside(what: str, act: Callable[[], Any]) -> Any:
        out.extend(name for name in ("cp1", "cp2") if name not in with_etcd(cluster.world))
        return act()

    cluster.runs.outside = outside
    cluster.rollback("cp2", 1)
    assert runtime(cluster, "cp2") == "docker"
    assert out == []
