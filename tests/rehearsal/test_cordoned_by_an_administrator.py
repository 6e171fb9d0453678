"""A node that an administrator has cordoned is switched and stays so; nobody waits for pods that only it takes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from cri_switch.model.errors import PreflightError
from cri_switch.rehearsal.build import ClusterSpec, build, rest
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.world import World
from tests.rehearsal.engineless import Engineless


def cordoned(tmp_path: Path) -> tuple[World, Engineless]:
    """`ledger-0` has its volume on w1, so no other node takes it; a budget that it spends guards it."""
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=4, control_planes=1), clock)
    world.store.change("Node", "w1", "", lambda node: node["spec"].update(unschedulable=True))
    guard = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "ledger"}}}
    world.store.create("PodDisruptionBudget", {"metadata": {"name": "ledger", "namespace": "shop"}, "spec": guard})
    rest(world)
    clock.passed = world.tick
    return world, Engineless(world, tmp_path)


def test_without_the_administrators_word_nothing_begins(tmp_path: Path) -> None:
    world, runs = cordoned(tmp_path)
    with pytest.raises(PreflightError, match="only there may run shop/ledger-0"):
        runs.run(runs.migration())
    assert "cordon" not in runs.executed
    assert [pod["spec"].get("nodeName") for pod in ledger(world)] == ["w1", "w2"]


def test_with_it_such_pods_stay_pending_and_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world, runs = cordoned(tmp_path)
    begun = world.clock.now()
    report = runs.run(runs.migration(ignore_preflight_errors=["TiedToCordonedNode"], nodes={"exclude": ["w2"]}))
    assert {node.name: node.outcome for node in report.nodes} == {
        "w1": "migrated", "w2": "skipped", "w3": "migrated", "cp1": "migrated"
    }  # fmt: skip
    assert world.clock.now() - begun < 300, "neither settle, the gate nor the last look waited their time"
    assert [pod["spec"].get("nodeName") for pod in ledger(world)] == [None, "w2"]
    assert unschedulable(world, "w1")
    settled = [line for line in caplog.messages if line.startswith("node=w1 step=settle ")]
    assert settled[-1].endswith("Pending until an administrator uncordons the node that would take them: shop/ledger-0")


def ledger(world: World) -> list[dict[str, dict[str, object]]]:
    found = [world.store.get("Pod", name, "shop") for name in ("ledger-0", "ledger-1")]
    return [pod for pod in found if pod is not None]


def unschedulable(world: World, name: str) -> bool:
    node = world.store.get("Node", name, "")
    return bool(node and node["spec"].get("unschedulable"))
