"""etcd's members are static pods of the control-plane nodes: with two of three stopped nothing is read or written."""

from __future__ import annotations

import json

import pytest

from cri_switch.model.errors import ApiError, Unreachable
from cri_switch.node.etcd_member import ask_control_plane
from tests.unit.rehearsal.planes import Planes


@pytest.fixture
def planes() -> Planes:
    return Planes()


def test_one_member_less_is_no_harm_to_the_others(planes: Planes) -> None:
    planes.stop("cp3", "etcd")
    assert planes.cluster.raw_get("/readyz") == (200, "ok")
    assert len(planes.cluster.list("Node")) == 4
    assert [planes.readyz(name) for name in ("cp1", "cp2", "cp3")] == ["200", "200", "500"]
    assert planes.etcdctl("cp1", "endpoint", "health").rc == 0
    assert planes.world.complaints == []


def test_the_members_that_do_not_answer_are_named_and_the_exit_code_says_so(planes: Planes) -> None:
    planes.stop("cp3", "etcd")
    status = planes.etcdctl("cp1", "endpoint", "status", "--cluster", "-w", "json")
    assert [one["Endpoint"] for one in json.loads(status.stdout)] == [
        f"https://{planes.world.machines[name].address}:2379" for name in ("cp1", "cp2")
    ]
    assert status.rc == 1
    assert "Failed to get the status of endpoint https://10.77.0.13:2379 (context deadline exceeded)" in status.stderr
    assert len(json.loads(planes.etcdctl("cp1", "member", "list", "-w", "json").stdout)["members"]) == 3


def test_without_a_quorum_the_api_answers_nothing_of_etcds(planes: Planes) -> None:
    planes.stop("cp2", "etcd")
    planes.stop("cp3", "etcd")
    status, text = planes.cluster.raw_get("/readyz")
    assert (status, "[-]etcd failed: reason withheld" in text) == (500, True)
    assert planes.readyz("cp1") == "500"
    before = planes.world.clock.now()
    with pytest.raises(Unreachable, match=r"500: etcdserver: request timed out"):
        planes.cluster.list("Node")
    assert planes.world.clock.now() - before >= 7
    with pytest.raises(ApiError, match=r"500: etcdserver: request timed out") as refused:
        planes.cluster.patch("Node", "w1", {"spec": {"unschedulable": True}})
    assert refused.value.status == 500
    assert not (planes.world.store.get("Node", "w1") or {})["spec"].get("unschedulable")
    assert planes.cluster.version() == "v1.20.2"  # it has that from memory


def test_without_a_quorum_etcdctl_says_so(planes: Planes) -> None:
    planes.stop("cp2", "etcd")
    planes.stop("cp3", "etcd")
    health = planes.etcdctl("cp1", "endpoint", "health")
    assert health.rc == 1
    assert "https://127.0.0.1:2379 is unhealthy: failed to commit proposal: context deadline exceeded" in health.stderr
    (own,) = json.loads(planes.etcdctl("cp1", "endpoint", "status", "-w", "json").stdout)
    assert own["Status"]["leader"] == 0
    assert own["Status"]["errors"] == ["etcdserver: no leader"]
    assert len(json.loads(planes.etcdctl("cp1", "member", "list", "-w", "json").stdout)["members"]) == 3
    asked = ask_control_plane(planes.connection("cp1"))
    assert any("is unhealthy" in line for line in asked.problems), asked


def test_it_serves_again_with_the_quorum(planes: Planes) -> None:
    planes.stop("cp2", "etcd")
    planes.stop("cp3", "etcd")
    planes.pass_time(60)
    planes.start("cp2", "etcd")
    assert planes.cluster.raw_get("/readyz") == (200, "ok")
    nodes = {node["metadata"]["name"]: node for node in planes.cluster.list("Node")}
    assert all(c["status"] == "True" for n in nodes.values() for c in n["status"]["conditions"] if c["type"] == "Ready")
    assert planes.etcdctl("cp2", "endpoint", "health").rc == 0


def test_the_mirror_pod_of_a_manifest_that_is_gone_goes_too(planes: Planes) -> None:
    planes.stop("cp3", "etcd")
    assert planes.world.store.get("Pod", "etcd-cp3", "kube-system") is None
    planes.start("cp3", "etcd")
    assert planes.world.store.get("Pod", "etcd-cp3", "kube-system") is not None
