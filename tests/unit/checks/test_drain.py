from __future__ import annotations

from typing import Any

import pytest

from cri_switch.checks.drain import check_drain
from cri_switch.checks.owner import owners
from cri_switch.checks.pods import drained, some
from cri_switch.model.migration import Drain

FULL = Drain(delete_emptydir_data=True)


def pod(
    name: str = "web-1-a",
    *,
    owner: tuple[str, str] | None = ("ReplicaSet", "web-1"),
    node: str = "w1",
    phase: str = "Running",
    finalizers: tuple[str, ...] = (),
    **spec: Any,
) -> dict[str, Any]:
    references = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    metadata = {"name": name, "namespace": "ns", "ownerReferences": references, "finalizers": list(finalizers)}
    return {"metadata": metadata, "spec": {"nodeName": node} | spec, "status": {"phase": phase}}


def deployment(replicas: int | None) -> list[dict[str, Any]]:
    spec = {} if replicas is None else {"replicas": replicas}
    owner = [{"kind": "Deployment", "name": "web", "controller": True}]
    return [
        {"kind": "Deployment", "metadata": {"name": "web", "namespace": "ns"}, "spec": spec},
        {
            "kind": "ReplicaSet",
            "metadata": {"name": "web-1", "namespace": "ns", "ownerReferences": owner},
            "spec": {"replicas": 3},
        },
    ]


def check(
    pods: list[dict[str, Any]], settings: Drain = FULL, objects: list[dict[str, Any]] | None = None
) -> list[tuple[str, str, str]]:
    objects = deployment(3) if objects is None else objects
    found = check_drain(pods, objects, owners(objects), settings)
    return [(each.level, each.name, each.object) for each in found]


WEB = "ns/Deployment/web"


@pytest.mark.parametrize(
    ("one", "settings", "expected"),
    [
        (pod("p", owner=None), FULL, ("error", "BarePod", "ns/Pod/p")),
        (pod("p", owner=None), FULL.model_copy(update={"force": True}), ("warning", "BarePod", "ns/Pod/p")),
        (pod(volumes=[{"name": "e", "emptyDir": {}}]), Drain(), ("error", "EmptyDirData", WEB)),
        (pod(volumes=[{"name": "e", "emptyDir": {}}]), FULL, ("warning", "EmptyDirData", WEB)),
        (pod(terminationGracePeriodSeconds=301), FULL, ("warning", "LongGracePeriod", WEB)),
        (
            pod(terminationGracePeriodSeconds=90),
            FULL.model_copy(update={"timeout": 60}),
            ("warning", "LongGracePeriod", WEB),
        ),
        (pod(finalizers=("acme.io/keep",)), FULL, ("warning", "PodFinalizers", "ns/Pod/web-1-a")),
        (pod(volumes=[{"name": "d", "hostPath": {"path": "/srv/d"}}]), FULL, ("warning", "HostPathData", WEB)),
    ],
)
def test_found(one: dict[str, Any], settings: Drain, expected: tuple[str, str, str]) -> None:
    assert check([one], settings) == [expected]


@pytest.mark.parametrize(
    ("one", "settings"),
    [
        (pod(), FULL),
        (pod(volumes=[{"name": "c", "configMap": {}}]), Drain()),
        (pod(terminationGracePeriodSeconds=300), FULL),
        (pod(terminationGracePeriodSeconds=900), FULL.model_copy(update={"grace_period": 10})),
        (pod(terminationGracePeriodSeconds=200), FULL.model_copy(update={"timeout": 0})),
        (pod(finalizers=("batch.kubernetes.io/job-tracking",)), FULL),
        (pod(volumes=[{"name": "d", "hostPath": {"path": "/run/x"}}]), FULL),
        (pod(volumes=[{"name": "d", "hostPath": {"path": "/srv/x.sock", "type": "Socket"}}]), FULL),
        (
            pod(volumes=[{"name": "d", "hostPath": {"path": "/srv"}}], nodeSelector={"kubernetes.io/hostname": "w1"}),
            FULL,
        ),
    ],
)
def test_silent(one: dict[str, Any], settings: Drain) -> None:
    assert check([one], settings) == []


@pytest.mark.parametrize(("replicas", "count"), [(1, 1), (None, 1), (2, 0), (0, 0)])
def test_single_replica(replicas: int | None, count: int) -> None:
    assert check([pod()], objects=deployment(replicas)) == [("warning", "SingleReplica", WEB)] * count


def test_one_finding_for_all_pods_of_an_owner() -> None:
    volumes = [{"name": "e", "emptyDir": {}}]
    objects = deployment(3)
    found = check_drain([pod("web-1-b", volumes=volumes), pod(volumes=volumes)], objects, owners(objects), Drain())
    assert [each.detail for each in found] == ["pods: ns/web-1-a, ns/web-1-b; e"]


def test_what_a_drain_leaves_alone_is_not_looked_at() -> None:
    mirror = pod("etcd", owner=("Node", "w1"))
    probe = pod("probe", owner=None)
    probe["metadata"]["namespace"] = "cri-switch"
    pods = [
        pod("a", owner=None, phase="Succeeded"),
        pod("b", owner=("DaemonSet", "agent")),
        pod("c", node="w2"),
        mirror,
        probe,
        pod("d"),
    ]
    assert [each["metadata"]["name"] for each in drained(pods, {"w1"})] == ["d"]


@pytest.mark.parametrize(
    ("names", "text"), [("ba", "a, b"), ("abcde", "a, b, c, d, e"), ("fedcba", "a, b, c, d and 2 more")]
)
def test_some(names: str, text: str) -> None:
    assert some(names) == text
