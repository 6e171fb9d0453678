"""Controllers, scheduler and budgets on objects alone."""

from __future__ import annotations

from typing import Any

import pytest

from cri_switch.rehearsal.budgets import watch_budgets
from cri_switch.rehearsal.controllers import Controllers
from cri_switch.rehearsal.garbage import collect_garbage
from cri_switch.rehearsal.node_lifecycle import watch_nodes
from cri_switch.rehearsal.scheduler import schedule
from tests.unit.rehearsal.api import RUNNING, World

Obj = dict[str, Any]


def steps(world: World, count: int = 4) -> None:
    controllers = Controllers(world.store)
    for _ in range(count):
        controllers.step()
        schedule(world.store)
        watch_budgets(world.store)
        collect_garbage(world.store)


def run_all(world: World) -> None:
    """What kubelets would do: every pod with a node runs."""
    for pod in world.store.list("Pod"):
        if pod["spec"].get("nodeName"):
            name = pod["metadata"]["name"]
            world.store.change("Pod", name, "lab", lambda found: found.update(status=RUNNING))


def workload(kind: str, name: str, replicas: int = 1, **spec: Any) -> Obj:
    template: Obj = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    selector = {"matchLabels": {"app": name}}
    body = {"selector": selector, "template": template, **spec}
    if kind != "DaemonSet":
        body["replicas"] = replicas
    return {"metadata": {"name": name, "namespace": "lab"}, "spec": body}


def homes(world: World) -> list[str]:
    return sorted(pod["spec"].get("nodeName", "") for pod in world.store.list("Pod"))


def test_a_deployment_spreads_and_replaces_what_goes() -> None:
    world = World()
    for name in ("w1", "w2", "w3"):
        world.node(name)
    world.store.create("Deployment", workload("Deployment", "web", 3))
    steps(world)
    assert homes(world) == ["w1", "w2", "w3"]
    run_all(world)
    steps(world)
    assert (world.store.get("Deployment", "web", "lab") or {})["status"]["readyReplicas"] == 3
    victim = world.store.list("Pod")[0]
    world.store.delete("Pod", victim["metadata"]["name"], "lab")
    steps(world)
    assert len(world.store.list("Pod")) == 4  # the one that goes is still there
    world.store.finalize("Pod", victim)
    steps(world)
    assert len(world.store.list("Pod")) == 3


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"unschedulable": True}, ["w2", "w2"]),
        ({"taints": [{"key": "k", "effect": "NoSchedule"}]}, ["w2", "w2"]),
        ({"taints": [{"key": "k", "effect": "PreferNoSchedule"}]}, ["w2", "w2"]),
        ({}, ["w1", "w2"]),
    ],
)
def test_where_pods_go(spec: Obj, expected: list[str]) -> None:
    world = World()
    world.node("w1", **spec)
    world.node("w2")
    world.store.create("Deployment", workload("Deployment", "web", 2))
    steps(world)
    assert homes(world) == expected


def test_a_pod_that_fits_nowhere_stays_pending() -> None:
    world = World()
    world.node("w1", unschedulable=True)
    world.store.create("Deployment", workload("Deployment", "web", 1))
    steps(world)
    pod = world.store.list("Pod")[0]
    assert pod["status"]["conditions"][0]["reason"] == "Unschedulable"


def test_a_daemon_set_is_on_cordoned_nodes_too() -> None:
    world = World()
    world.node("w1", unschedulable=True)
    world.node("w2", taints=[{"key": "k", "effect": "NoSchedule"}])
    world.store.create("DaemonSet", workload("DaemonSet", "agent"))
    steps(world)
    assert homes(world) == ["w1"]
    assert (world.store.get("DaemonSet", "agent", "lab") or {})["status"]["desiredNumberScheduled"] == 1


def test_a_stateful_pod_comes_back_under_its_name_and_to_its_volume() -> None:
    world = World()
    world.node("w1")
    world.node("w2")
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["w2"]}
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}
    volume = {"storageClassName": "local", "nodeAffinity": affinity}
    world.store.create("PersistentVolume", {"metadata": {"name": "v"}, "spec": volume})
    claim = {"metadata": {"name": "data"}, "spec": {"storageClassName": "local"}}
    world.store.create("StatefulSet", workload("StatefulSet", "ledger", 1, volumeClaimTemplates=[claim]))
    steps(world)
    first = world.store.list("Pod")[0]
    assert (first["metadata"]["name"], homes(world)) == ("ledger-0", ["w2"])
    world.store.delete("Pod", "ledger-0", "lab")
    steps(world)
    assert [pod["metadata"]["uid"] for pod in world.store.list("Pod")] == [first["metadata"]["uid"]]
    world.store.finalize("Pod", first)
    steps(world)
    again = world.store.list("Pod")[0]
    assert again["metadata"]["name"] == "ledger-0"
    assert again["metadata"]["uid"] != first["metadata"]["uid"]
    assert homes(world) == ["w2"]


@pytest.mark.parametrize(("spec", "allowed"), [({"minAvailable": 3}, 1), ({"maxUnavailable": "50%"}, 2)])
def test_what_a_budget_allows(spec: Obj, allowed: int) -> None:
    world = World()
    world.node("w1")
    world.store.create("Deployment", workload("Deployment", "web", 4))
    budget = {
        "metadata": {"name": "web", "namespace": "lab"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }
    world.store.create("PodDisruptionBudget", budget)
    steps(world)
    run_all(world)
    steps(world)
    status = (world.store.get("PodDisruptionBudget", "web", "lab") or {})["status"]
    assert status["disruptionsAllowed"] == allowed


def test_a_silent_kubelet_makes_its_node_unknown() -> None:
    world = World()
    world.node("w1")
    world.pod("p")

    def beat(node: Obj) -> None:
        node["status"]["conditions"][0]["lastHeartbeatTime"] = "2026-11-18T00:00:00Z"

    world.store.change("Node", "w1", "", beat)
    watch_nodes(world.store)
    node = world.store.get("Node", "w1") or {}
    assert node["status"]["conditions"][0]["status"] == "Unknown"
    assert {taint["effect"] for taint in node["spec"]["taints"]} == {"NoSchedule", "NoExecute"}
    assert (world.store.get("Pod", "p", "lab") or {})["status"]["conditions"][0]["status"] == "False"
