"""The mirror pods of static pods are slow to turn Ready; their containers are told at once."""

from __future__ import annotations

import pytest

from cri_switch.cluster.node_pods import lack
from cri_switch.node.command import sudo
from tests.unit.rehearsal.planes import Planes

PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


@pytest.fixture
def planes() -> Planes:
    return Planes(control_planes=1)


def ready(planes: Planes) -> set[str]:
    return {planes.conditions(f"{part}-cp1").get("Ready", "?") for part in PARTS}


def test_after_a_start_of_the_kubelet_they_are_ready_late(planes: Planes) -> None:
    assert ready(planes) == {"True"}
    planes.connection("cp1").run(sudo("systemctl", "restart", "kubelet.service"))
    planes.pass_time(30)
    assert ready(planes) == {"False"}
    for part in PARTS:
        pod = planes.world.store.get("Pod", f"{part}-cp1", "kube-system")
        assert pod is not None
        assert lack(pod, "docker") == ""
    planes.pass_time(60)
    assert ready(planes) == {"True"}


def test_a_container_that_is_started_again_is_late_alone(planes: Planes) -> None:
    machine = planes.world.machines["cp1"]
    scheduler = machine.container("kube-scheduler")
    assert scheduler is not None
    machine.docker.stop_box(scheduler)
    planes.pass_time(30)
    assert machine.container("kube-scheduler") is not None
    assert [planes.conditions(f"{part}-cp1")["Ready"] for part in PARTS] == ["True", "True", "True", "False"]
    planes.pass_time(60)
    assert ready(planes) == {"True"}


def test_pods_without_a_startup_probe_are_ready_soon(planes: Planes) -> None:
    planes.connection("w1").run(sudo("systemctl", "restart", "kubelet.service"))
    planes.pass_time(10)
    pods = planes.world.store.list("Pod")
    mine = [pod for pod in pods if pod["spec"].get("nodeName") == "w1" and pod["status"]["phase"] == "Running"]
    assert mine
    assert {c["status"] for pod in mine for c in pod["status"]["conditions"] if c["type"] == "Ready"} == {"True"}
