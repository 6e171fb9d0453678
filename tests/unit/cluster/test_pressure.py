"""A node's conditions of pressure."""

from __future__ import annotations

import pytest

from cri_switch.cluster.pressure import clear_evicted, pressures, wait_no_pressure
from cri_switch.model.errors import RemoteTimeout
from tests.unit.cluster.fake_api import Clock, FakeApi, Obj, add_node, cluster, pod


def conditions(**by_type: str) -> list[Obj]:
    return [{"type": name, "status": value} for name, value in by_type.items()]


def test_only_those_that_are_true_for_certain() -> None:
    node = {"status": {"conditions": conditions(Ready="True", DiskPressure="True", PIDPressure="Unknown")}}
    assert pressures(node) == ["DiskPressure"]
    assert pressures({}) == []


def test_it_waits_until_the_kubelet_takes_it_back() -> None:
    api, clock = FakeApi(), Clock()
    ref = add_node(api)
    node = api.objects["nodes", "", "w1"]
    node["status"] = {"conditions": conditions(DiskPressure="True")}
    client = cluster(api)
    clock.at(300, lambda: node.update(status={"conditions": conditions(DiskPressure="False")}))
    with pytest.raises(RemoteTimeout, match=r"w1: free of pressure: not within 60 s: DiskPressure"):
        wait_no_pressure(client, ref, seconds=60, next_step="df", sleep=clock.sleep, clock=clock)
    wait_no_pressure(client, ref, seconds=360, next_step="df", sleep=clock.sleep, clock=clock)
    assert 300 <= clock() - 1000 < 302


def test_only_evicted_pods_of_daemon_sets_are_let_go() -> None:
    api = FakeApi()
    ref = add_node(api)
    for name, owner, phase, reason in (
        ("agent-a", "DaemonSet/agent", "Failed", "Evicted"),
        ("agent-b", "DaemonSet/agent", "Running", ""),
        ("agent-c", "DaemonSet/agent", "Failed", "NodeLost"),
        ("web-a", "ReplicaSet/web", "Failed", "Evicted"),
    ):
        made = pod(name, owner=owner, phase=phase)
        made["status"]["reason"] = reason
        api.add("pods", made)
    assert clear_evicted(cluster(api), ref) == ["lab/agent-a"]
    assert sorted(name for kind, _namespace, name in api.objects if kind == "pods") == ["agent-b", "agent-c", "web-a"]
