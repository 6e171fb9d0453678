from __future__ import annotations

from typing import Any

import pytest

from cri_switch.checks.capacity import check_capacity, fits, pod_requests
from cri_switch.checks.quantity import quantity


def node(name: str, *, cpu: str = "1", pods: str = "110", ready: bool = True, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": spec,
        "status": {
            "allocatable": {"cpu": cpu, "memory": "1Gi", "pods": pods},
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


def pod(name: str, on: str, *, cpu: str = "500m", owner: str = "ReplicaSet", **spec: Any) -> dict[str, Any]:
    container = {"resources": {"requests": {"cpu": cpu}}}
    reference = {"kind": owner, "name": "x", "controller": True}
    return {
        "metadata": {"name": name, "namespace": "ns", "ownerReferences": [reference]},
        "spec": {"nodeName": on, "containers": [container]} | spec,
        "status": {"phase": "Running"},
    }


TWO = [pod("a", "w1"), pod("b", "w1")]


def words(nodes: list[dict[str, Any]], pods: list[dict[str, Any]], batch: list[str] | None = None) -> str:
    found = check_capacity([batch or ["w1"]], nodes, pods)
    assert len(found) < 2
    assert [each.name for each in found] == ["BatchDoesNotFit"] * len(found)
    return found[0].summary if found else ""


def test_what_fits_is_silent() -> None:
    assert words([node("w1"), node("w2")], TWO) == ""


@pytest.mark.parametrize(
    ("nodes", "pods", "said"),
    [
        ([node("w1"), node("w2")], [*TWO, pod("c", "w1")], "1 of 3 pods"),
        ([node("w1"), node("w2")], [*TWO, pod("c", "w2")], "1 of 2 pods"),
        ([node("w1"), node("w2", pods="1")], TWO, "no room for"),
        ([node("w1"), node("w2", unschedulable=True)], TWO, "no other node may run ns/a, ns/b"),
        ([node("w1"), node("w2", ready=False)], TWO, "no other node may run"),
        ([node("w1"), node("w2", taints=[{"key": "k", "effect": "NoSchedule"}])], TWO, "no other node may run"),
        ([node("w1")], TWO, "no other node may run"),
        (
            [node("w1"), node("w2")],
            [pod("a", "w1", nodeSelector={"kubernetes.io/hostname": "w1"})],
            "no other node may run ns/a",
        ),
    ],
)
def test_what_does_not_fit(nodes: list[dict[str, Any]], pods: list[dict[str, Any]], said: str) -> None:
    assert said in words(nodes, pods)


@pytest.mark.parametrize(
    ("nodes", "pods"),
    [
        ([node("w1"), node("w2")], [pod("a", "w1", cpu="900"), pod("b", "w1")][1:]),
        ([node("w1"), node("w2")], [pod("a", "w1", cpu="9", owner="DaemonSet")]),
        ([node("w1"), node("w2")], [pod("a", "w1", cpu="9") | {"status": {"phase": "Succeeded"}}]),
        ([node("w1"), node("w2", taints=[{"key": "k", "effect": "PreferNoSchedule"}])], TWO),
    ],
)
def test_what_needs_no_room(nodes: list[dict[str, Any]], pods: list[dict[str, Any]]) -> None:
    assert words(nodes, pods) == ""


def test_a_batch_is_out_together_and_batches_one_after_the_other() -> None:
    nodes = [node("w1"), node("w2"), node("w3")]
    pods = [pod("a", "w1", cpu="1"), pod("b", "w2", cpu="1")]
    assert check_capacity([["w1"], ["w2"], ["w3"]], nodes, pods) == []
    assert "1 of 2 pods" in words(nodes, pods, ["w1", "w2"])


@pytest.mark.parametrize(
    ("tolerations", "answer"),
    [
        ([], False),
        ([{"operator": "Exists"}], True),
        ([{"key": "k", "operator": "Exists", "effect": "NoSchedule"}], True),
        ([{"key": "k", "value": "v"}], True),
        ([{"key": "k", "value": "w"}], False),
        ([{"key": "k", "operator": "Exists", "effect": "NoExecute"}], False),
    ],
)
def test_tolerations(tolerations: list[dict[str, str]], answer: bool) -> None:
    one = pod("a", "w1", tolerations=tolerations)
    assert fits(one, {}, [{"key": "k", "value": "v", "effect": "NoSchedule"}]) is answer


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ({"key": "zone", "operator": "In", "values": ["a"]}, True),
        ({"key": "zone", "operator": "NotIn", "values": ["a"]}, False),
        ({"key": "zone", "operator": "Exists"}, True),
        ({"key": "disk", "operator": "DoesNotExist"}, True),
        ({"key": "gen", "operator": "Gt", "values": ["3"]}, True),
        ({"key": "gen", "operator": "Lt", "values": ["3"]}, False),
        ({"key": "gone", "operator": "Gt", "values": ["3"]}, False),
    ],
)
def test_node_affinity(expression: dict[str, Any], answer: bool) -> None:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    assert fits(pod("a", "w1", affinity=affinity), {"zone": "a", "gen": "4"}, []) is answer


def test_requests_are_the_schedulers() -> None:
    one = pod("a", "w1", cpu="100m", overhead={"cpu": "10m"})
    one["spec"]["initContainers"] = [{"resources": {"requests": {"cpu": "2"}}}]
    assert pod_requests(one) == {"pods": 1.0, "cpu": pytest.approx(2.01)}


@pytest.mark.parametrize(
    ("text", "number"),
    [("100m", 0.1), ("1Gi", 2**30), ("2", 2), ("1.5", 1.5), ("1e3", 1000), ("128M", 128e6), ("?", 0), ("3Xi", 0)],
)
def test_quantity(text: str, number: float) -> None:
    assert quantity(text) == pytest.approx(number)
