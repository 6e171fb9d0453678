from __future__ import annotations

from typing import Any

import pytest

from cri_switch.checks.capacity import check_capacity
from cri_switch.checks.node_fit import fits, pod_requests, tied_volumes
from cri_switch.model.quantity import quantity


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
    assert fits(one, node("w2", taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}])) is answer


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
    there = node("w2")
    there["metadata"]["labels"] |= {"zone": "a", "gen": "4"}
    assert fits(pod("a", "w1", affinity=affinity), there) is answer


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


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def labelled(name: str, on: str, app: str = "web", **spec: Any) -> dict[str, Any]:
    one = pod(name, on, cpu="10m", **spec)
    one["metadata"]["labels"] = {"app": app}
    return one


def beside(kind: str, app: str = "web", key: str = "kubernetes.io/hostname", **more: Any) -> dict[str, Any]:
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **more}
    return {"affinity": {kind: {REQUIRED: [term]}}}


def spread(key: str = "kubernetes.io/hostname", when: str = "DoNotSchedule", **more: Any) -> dict[str, Any]:
    constraint = {"topologyKey": key, "maxSkew": 1, "whenUnsatisfiable": when, **more}
    return {"topologySpreadConstraints": [{"labelSelector": {"matchLabels": {"app": "web"}}, **constraint}]}


def in_zone(name: str, zone: str, **spec: Any) -> dict[str, Any]:
    one = node(name, **spec)
    one["metadata"]["labels"]["zone"] = zone
    return one


AWAY, NEAR = beside("podAntiAffinity"), beside("podAffinity")
THREE = [node("w1"), node("w2"), node("w3")]
HERE: dict[str, Any] = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}


@pytest.mark.parametrize(
    ("nodes", "pods", "said"),
    [
        # anti-affinity: w2 has one already, w3 is free
        (THREE, [labelled("a", "w1", **AWAY), labelled("b", "w2", **AWAY)], ""),
        (THREE[:2], [labelled("a", "w1", **AWAY), labelled("b", "w2", **AWAY)], "leaves no node for ns/a"),
        # the one that is there already does not want it, though it does not mind itself
        (THREE[:2], [labelled("a", "w1"), labelled("b", "w2", app="db", **AWAY)], "leaves no node for ns/a"),
        (THREE[:2], [labelled("a", "w1", app="x"), labelled("b", "w2", app="db", **AWAY)], ""),
        # two that leave together are kept apart from each other too
        (THREE[:2], [labelled("a", "w1", **AWAY), labelled("b", "w1", **AWAY)], "1 of 2 pods"),
        # other namespaces
        (THREE[:2], [labelled("a", "w1", **beside("podAntiAffinity", namespaces=["other"])), labelled("b", "w2")], ""),
        (
            THREE[:2],
            [labelled("a", "w1", **beside("podAntiAffinity", namespaceSelector={})), labelled("b", "w2")],
            "leaves no node",
        ),
        # affinity
        (THREE, [labelled("a", "w1", app="x", **NEAR), labelled("b", "w2")], ""),
        (THREE, [labelled("a", "w1", app="x", **NEAR), labelled("b", "w1", nodeSelector={"gone": "1"})], "ns/a"),
        (THREE, [labelled("a", "w1", **NEAR)], ""),
        # spread over nodes: a cordoned node counts as a place that has none (kube-scheduler)
        (THREE, [labelled("a", "w1", **spread()), labelled("b", "w2", **spread())], ""),
        (THREE[:2], [labelled("a", "w1", **spread()), labelled("b", "w2", **spread())], "leaves no node for ns/a"),
        (
            THREE[:2],
            [labelled("a", "w1", **spread(when="ScheduleAnyway")), labelled("b", "w2")],
            "",
        ),
        # spread over zones: the other node of the zone takes it
        (
            [in_zone("w1", "x"), in_zone("w2", "x"), in_zone("w3", "y")],
            [labelled("a", "w1", **spread("zone")), labelled("b", "w3", **spread("zone"))],
            "",
        ),
        (
            [in_zone("w1", "x"), in_zone("w2", "y"), in_zone("w3", "y")],
            [labelled("a", "w1", **spread("zone")), labelled("b", "w3", **spread("zone"))],
            "leaves no node for ns/a",
        ),
        # what is not understood is left out, and the finding's text says so
        (THREE[:2], [labelled("a", "w1", **spread(minDomains=3)), labelled("b", "w2", **spread(minDomains=3))], ""),
    ],
)
def test_neighbours(nodes: list[dict[str, Any]], pods: list[dict[str, Any]], said: str) -> None:
    found = words(nodes, pods)
    assert said in found
    assert bool(found) == bool(said)


def test_the_next_batch_is_judged_by_the_cluster_as_it_is() -> None:
    pods = [labelled("a", "w1", **AWAY), labelled("b", "w2", **AWAY)]
    assert check_capacity([["w1"], ["w2"], ["w1"], ["w2"]], THREE, pods) == []


def test_host_ports() -> None:
    port = [{"ports": [{"containerPort": 80, "hostPort": 8080}]}]
    assert "no room for ns/a" in words(
        [node("w1"), node("w2")],
        [
            {**pod("a", "w1"), "spec": {"nodeName": "w1", "containers": port}},
            {**pod("b", "w2", owner="DaemonSet"), "spec": {"nodeName": "w2", "containers": port}},
        ],
    )
    udp = [{"ports": [{"containerPort": 80, "hostPort": 8080, "protocol": "UDP"}]}]
    assert (
        words(
            [node("w1"), node("w2")],
            [
                {**pod("a", "w1"), "spec": {"nodeName": "w1", "containers": port}},
                {**pod("b", "w2", owner="DaemonSet"), "spec": {"nodeName": "w2", "containers": udp}},
            ],
        )
        == ""
    )


@pytest.mark.parametrize(("host", "said"), [("w1", "no other node may run ns/a"), ("w2", ""), ("", "")])
def test_a_volume_that_is_on_one_node(host: str, said: str) -> None:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [host]}
    affinity = {"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}} if host else {}
    claims = [{"metadata": {"name": "data", "namespace": "ns"}, "spec": {"volumeName": "pv"}}]
    tied = tied_volumes(claims, [{"metadata": {"name": "pv"}, "spec": affinity}])
    found = check_capacity([["w1"]], THREE[:2], [pod("a", "w1", **HERE)], tied)
    assert said in "".join(each.summary for each in found)
    assert bool(found) == bool(said)


def test_a_term_by_the_nodes_name_and_one_that_asks_for_nothing() -> None:
    def wish(*terms: dict[str, Any]) -> dict[str, Any]:
        return pod("a", "w1", affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [*terms]}}})

    by_name = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["w2"]}]}
    assert fits(wish(by_name), node("w2"))
    assert not fits(wish(by_name), node("w3"))
    assert not fits(wish({}), node("w2"))
    assert fits(wish({}, by_name), node("w2"))
