"""Pods that are evicted should not land on the next victim: all nodes that wait have a taint, at every eviction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cri_switch.cluster.taint import WAITING
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from tests.rehearsal.engineless import Engineless


def test_those_that_wait_are_tainted_while_another_is_drained(tmp_path: Path) -> None:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=5, control_planes=1, replicas=4), clock)
    clock.passed = world.tick
    runs = Engineless(world, tmp_path)
    chosen = {"cp1", "w1", "w2", "w3"}
    seen: list[tuple[set[str], set[str]]] = []

    def look(what: str, act: Callable[[], Any]) -> Any:
        if what.startswith("POST ") and what.endswith("/eviction"):
            nodes = world.store.list("Node")
            waiting = {each["metadata"]["name"] for each in nodes if not each["spec"].get("unschedulable")}
            waiting = {each for each in waiting if world.machines[each].docker.boxes} & chosen
            seen.append((waiting, {each["metadata"]["name"] for each in nodes if _waits(each)}))
        return act()

    runs.outside = look
    report = runs.run(runs.migration(nodes={"limit": sorted(chosen)}))
    assert {node.name for node in report.nodes if node.outcome == "migrated"} == chosen
    assert {name for waiting, _tainted in seen for name in waiting} == {"w2", "w3", "cp1"}
    assert [waiting - tainted for waiting, tainted in seen] == [set()] * len(seen)
    assert all("w4" not in tainted for _waiting, tainted in seen), "it is not of this run"


def _waits(node: dict[str, Any]) -> bool:
    taints = node["spec"].get("taints") or []
    return any((taint["key"], taint["effect"]) == (WAITING, "PreferNoSchedule") for taint in taints)
