"""The DaemonSet controller: whose pods go when the template changes, by which strategy, and when it changes back."""

from __future__ import annotations

from typing import Any

import pytest

from cri_switch.rehearsal.api_patch import patched
from tests.unit.rehearsal.api import RUNNING, World
from tests.unit.rehearsal.test_controllers import steps, workload

Obj = dict[str, Any]
NOT_ON = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "off", "operator": "DoesNotExist"}]}]}
OFF = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": NOT_ON}}


def kubelets(world: World) -> None:
    """What kubelets would do: what was deleted ends, what is new runs."""
    for pod in world.store.list("Pod"):
        if pod["metadata"].get("deletionTimestamp"):
            world.store.finalize("Pod", pod)
        else:
            world.store.change("Pod", pod["metadata"]["name"], "lab", lambda found: found.update(status=RUNNING))


def settle(world: World) -> dict[str, str]:
    """UID of the pod by node, once all is quiet."""
    for _ in range(12):
        steps(world, 1)
        kubelets(world)
    return {pod["spec"]["nodeName"]: pod["metadata"]["uid"] for pod in world.store.list("Pod")}


def change(world: World, body: Obj) -> None:
    world.store.change(
        "DaemonSet", "agent", "lab", lambda found: found.update(patched(found, body, "application/merge-patch+json"))
    )


def label(world: World, node: str, value: str | None) -> None:
    body = {"metadata": {"labels": {"off": value}}}
    world.store.change(
        "Node", node, "", lambda found: found.update(patched(found, body, "application/merge-patch+json"))
    )


@pytest.fixture
def world() -> World:
    world = World()
    for name in ("w1", "w2", "w3"):
        world.node(name)
    world.store.create("DaemonSet", workload("DaemonSet", "agent"))
    return world


def test_rolling_update_replaces_every_pod_one_at_a_time(world: World) -> None:
    before = settle(world)
    assert before.keys() == {"w1", "w2", "w3"}
    change(world, {"spec": {"template": {"spec": {"affinity": OFF}}}})
    steps(world, 1)
    assert sum(1 for pod in world.store.list("Pod") if pod["metadata"].get("deletionTimestamp")) == 1
    assert not set(before.values()) & set(settle(world).values())


def test_on_delete_a_changed_template_restarts_nothing_and_back_again_neither(world: World) -> None:
    before = settle(world)
    change(world, {"spec": {"updateStrategy": {"type": "OnDelete"}, "template": {"spec": {"affinity": OFF}}}})
    assert settle(world) == before
    label(world, "w1", "x")
    assert settle(world) == {"w2": before["w2"], "w3": before["w3"]}
    change(world, {"spec": {"updateStrategy": {"type": "RollingUpdate"}, "template": {"spec": {"affinity": None}}}})
    after = settle(world)
    assert after.pop("w1") != before["w1"]
    assert after == {"w2": before["w2"], "w3": before["w3"]}


def test_a_pod_made_by_the_changed_template_is_replaced_once_rolling_update_is_back(world: World) -> None:
    settle(world)
    change(world, {"spec": {"updateStrategy": {"type": "OnDelete"}, "template": {"spec": {"affinity": OFF}}}})
    label(world, "w1", "x")
    settle(world)
    label(world, "w1", None)  # the wrong order: the label first, then the template
    early = settle(world)["w1"]
    change(world, {"spec": {"updateStrategy": {"type": "RollingUpdate"}, "template": {"spec": {"affinity": None}}}})
    assert settle(world)["w1"] != early
