"""The simulated API answers the pipeline's own client as a real server does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import urllib3

from cri_switch.cluster.cordon import cordon, uncordon
from cri_switch.cluster.inventory import inventory
from cri_switch.cluster.rights import check_rights
from cri_switch.cluster.taint import add_waiting_taint
from cri_switch.model.errors import ApiError, Unreachable
from cri_switch.rehearsal.api_reply import Call, Reply, failure
from cri_switch.rehearsal.api_state import ApiState
from cri_switch.rehearsal.http_server import HttpServer
from tests.unit.rehearsal.api import World, client


def budget(world: World, allowed: int) -> None:
    status = {"observedGeneration": 1, "disruptionsAllowed": allowed, "desiredHealthy": 2, "currentHealthy": 3}
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    metadata = {"name": "web", "namespace": "lab"}
    world.store.create("PodDisruptionBudget", {"metadata": metadata, "spec": spec, "status": status})


def test_who_the_cluster_is(tmp_path: Path) -> None:
    world = World()
    world.node("w1")
    with client(world, tmp_path) as cluster:
        assert cluster.version() == "v1.20.2"
        assert cluster.uid() == (world.store.get("Namespace", "kube-system") or {})["metadata"]["uid"]
        assert [node.name for node in inventory(cluster)] == ["w1"]
        assert check_rights(cluster) == []
        assert cluster.raw_get("/readyz") == (200, "ok")
    assert world.complaints == []


@pytest.mark.parametrize(("release", "budgets"), [("v1.20.2", "policy/v1beta1"), ("v1.25.0", "policy/v1")])
def test_the_release_decides_what_is_served(tmp_path: Path, release: str, budgets: str) -> None:
    world = World(release)
    budget(world, 1)
    with client(world, tmp_path) as cluster:
        assert cluster.list("PodDisruptionBudget")[0]["apiVersion"] == budgets


def test_an_eviction_spends_the_budget_and_the_next_is_refused(tmp_path: Path) -> None:
    world = World()
    budget(world, 1)
    for number in range(3):
        world.pod(f"web-{number}", app="web")
    with client(world, tmp_path) as cluster:
        cluster.evict("lab", "web-0", dry_run=True)
        assert "deletionTimestamp" not in (world.store.get("Pod", "web-0", "lab") or {})["metadata"]
        cluster.evict("lab", "web-0")
        assert (world.store.get("Pod", "web-0", "lab") or {})["metadata"]["deletionGracePeriodSeconds"] == 30
        with pytest.raises(ApiError) as refused:
            cluster.evict("lab", "web-1")
    assert refused.value.status == 429
    assert refused.value.causes == (
        "DisruptionBudget: The disruption budget web needs 2 healthy pods and has 3 currently",
    )


def test_a_pod_of_two_budgets_is_a_server_error(tmp_path: Path) -> None:
    world = World()
    budget(world, 1)
    second = {"metadata": {"name": "two", "namespace": "lab"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}}
    world.store.create("PodDisruptionBudget", second)
    world.pod("web-0", app="web")
    with client(world, tmp_path) as cluster, pytest.raises(ApiError) as refused:
        cluster.evict("lab", "web-0")
    assert refused.value.status == 500
    assert "more than one PodDisruptionBudget" in refused.value.what


def test_a_stale_resource_version_is_a_conflict(tmp_path: Path) -> None:
    world = World()
    old = world.node("w1")["metadata"]["resourceVersion"]
    world.store.change("Node", "w1", "", lambda node: node["metadata"].update(labels={"a": "b"}))
    with client(world, tmp_path) as cluster, pytest.raises(ApiError) as refused:
        cluster.patch("Node", "w1", {"metadata": {"resourceVersion": old}, "spec": {"unschedulable": True}})
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")


def test_cordon_taint_and_back(tmp_path: Path) -> None:
    world = World()
    world.node("w1")
    with client(world, tmp_path) as cluster:
        node = inventory(cluster)[0]
        cordon(cluster, node, "m")
        add_waiting_taint(cluster, node, "m")
        spec = (world.store.get("Node", "w1") or {})["spec"]
        assert spec["unschedulable"] is True
        assert [taint["effect"] for taint in spec["taints"]] == ["PreferNoSchedule"]
        uncordon(cluster, node, "m")
    assert "unschedulable" not in (world.store.get("Node", "w1") or {})["spec"]


def test_a_dry_run_stores_nothing(tmp_path: Path) -> None:
    world = World()
    before = world.node("w1")
    with client(world, tmp_path, dry_run=True) as cluster:
        cluster.patch("Node", "w1", {"spec": {"unschedulable": True}})
        cluster.create("Pod", {"metadata": {"name": "p"}, "spec": {}}, namespace="cri-switch")
    assert world.store.get("Node", "w1") == before
    assert world.store.list("Pod") == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Service", 'cannot list resource "services" in API group "" at the cluster scope'),
        ("ConfigMap", 'cannot list resource "configmaps"'),
    ],
)
def test_rights_are_those_of_the_manifest(tmp_path: Path, kind: str, words: str) -> None:
    world = World()
    with client(world, tmp_path) as cluster, pytest.raises(ApiError, match=words) as refused:
        cluster._caller.clock = iter(range(0, 1000, 10)).__next__
        cluster.list(kind)
    assert refused.value.status == 403


def test_an_unknown_token_is_401_and_an_unknown_path_fails_loudly() -> None:
    world = World()
    server = HttpServer(world.api)
    try:
        assert urllib3.request("GET", f"{server.url}/api/v1/nodes", headers={"Authorization": "Bearer x"}).status == 401
        headers = {"Authorization": "Bearer rehearsal-admin-token"}
        assert urllib3.request("GET", f"{server.url}/metrics", headers=headers).status == 501
        assert urllib3.request("POST", f"{server.url}/api/v1/namespaces/lab/pods/x/exec", headers=headers).status == 501
        assert urllib3.request("GET", f"{server.url}/apis/policy/v1", headers=headers).status == 404
    finally:
        server.close()
    assert len(world.complaints) == 2


@pytest.mark.parametrize("token", ["rehearsal-token", "rehearsal-admin-token"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/secrets"),
        ("GET", "/metrics"),
        ("POST", "/api/v1/namespaces/lab/secrets"),
        ("PATCH", "/apis/apps/v1/namespaces/lab/controllerrevisions/x"),
        ("DELETE", "/apis/nobody.knows/v1/things/x"),
    ],
)
def test_what_is_not_served_fails_loudly_whoever_asks(token: str, method: str, path: str) -> None:
    world = World()
    reply = world.api.answer(Call(method, path, authorization=f"Bearer {token}"))
    assert reply.status == 501
    assert world.complaints == [f"the rehearsal's API does not know {method} {path}"]


@pytest.mark.parametrize(
    ("call", "strange"),
    [
        (("GET", "/api/v1/nodes", {"resourceVersion": "0", "limit": "5"}), "resourceVersion"),
        (("GET", "/api/v1/pods", {"watch": "1", "allowWatchBookmarks": "true"}), "allowWatchBookmarks"),
        (("GET", "/api/v1/nodes/w1", {"labelSelector": "a=b"}), "labelSelector"),
        (("PATCH", "/api/v1/nodes/w1", {"force": "true"}, {}), "force"),
        (("DELETE", "/api/v1/namespaces/lab/pods/x", {}, {"propagationPolicy": "Orphan"}), "propagationPolicy"),
        (
            ("DELETE", "/api/v1/namespaces/lab/pods/x", {}, {"preconditions": {"resourceVersion": "1", "uid": "u"}}),
            "preconditions.resourceVersion",
        ),
        (
            ("POST", "/api/v1/namespaces/lab/pods/x/eviction", {}, {"deleteOptions": {"orphanDependents": True}}),
            "orphanDependents",
        ),
    ],
)
def test_an_option_that_means_nothing_here_fails_loudly(call: tuple[Any, ...], strange: str) -> None:
    world = World()
    reply = world.api.answer(replace(Call(*call), authorization="Bearer rehearsal-admin-token"))
    assert reply.status == 501
    assert world.complaints == [f"the rehearsal's API does not know {strange} of {call[0]} {call[1]}"]


def test_lists_come_in_pages(tmp_path: Path) -> None:
    world = World()
    for number in range(1203):
        world.pod(f"p{number:04}", node="w1" if number % 2 else "w2")
    with client(world, tmp_path) as cluster:
        assert len(cluster.list("Pod")) == 1203
        assert len(cluster.list("Pod", fields="spec.nodeName=w1")) == 601
    assert len([path for _, path, _ in world.api.calls if path.endswith("/pods")]) == 3 + 2


def test_a_fault_answers_in_the_api_s_place(tmp_path: Path) -> None:
    world = World()
    world.node("w1")
    with client(world, tmp_path) as cluster:
        cluster.list("Node")
        world.api.fault = lambda _call: failure(500, "InternalError", "etcdserver: request timed out")
        with pytest.raises(Unreachable, match="etcdserver"):
            cluster.list("Node")
        world.api.fault = lambda _call: Reply(0, lost=True)
        with pytest.raises(Unreachable):
            cluster.list("Node")
        world.api.fault = lambda _call: None
        world.api.state = lambda: ApiState.AWAY
        with pytest.raises(Unreachable):
            cluster.list("Node")


def watched(world: World, version: str, during: Callable[[], object] = lambda: None) -> list[Any]:
    """What a watch of one second says of nodes; `during` happens in it."""
    server = HttpServer(world.api)
    try:
        url = f"{server.url}/api/v1/nodes?watch=1&resourceVersion={version}&timeoutSeconds=1"
        threading.Timer(0.1, during).start()
        text = urllib3.request("GET", url, headers={"Authorization": "Bearer rehearsal-admin-token"}).data.decode()
    finally:
        server.close()
    return [json.loads(line) for line in text.splitlines()]


def names(lines: list[Any]) -> list[tuple[str, str]]:
    return [(line["type"], line["object"]["metadata"]["name"]) for line in lines]


def test_a_watch_tells_what_changed_since_a_version() -> None:
    world = World()
    world.node("w1")
    assert names(watched(world, str(world.store.version), lambda: world.node("w2"))) == [("ADDED", "w2")]


def test_a_watch_without_a_version_begins_with_what_is_there() -> None:
    world = World()
    world.node("w1")
    world.store.forget(len(world.store.events))
    assert names(watched(world, "0", lambda: world.node("w2"))) == [("ADDED", "w1"), ("ADDED", "w2")]


def test_a_watch_from_a_version_that_is_forgotten_is_refused() -> None:
    """As etcd's after a compaction: 410 inside the stream, and nothing that would look like the whole story."""
    world = World()
    old = world.node("w1")["metadata"]["resourceVersion"]
    world.node("w2")
    world.node("w3")
    world.store.forget(len(world.store.events) - 1)
    (gone,) = watched(world, old)
    assert (gone["type"], gone["object"]["code"], gone["object"]["reason"]) == ("ERROR", 410, "Expired")
