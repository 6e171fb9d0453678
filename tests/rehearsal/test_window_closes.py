"""A window that closes while the nodes are staged: no further node is staged, none is begun, and the run says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cri_switch.model.errors import WindowClosed
from cri_switch.model.window import Window
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.invariants import Invariants
from cri_switch.rehearsal.node_fault import Hook
from cri_switch.rehearsal.promise import Promise
from tests.rehearsal.engineless import Engineless


def test_while_the_nodes_are_staged(tmp_path: Path) -> None:
    clock = VirtualClock()
    own = ("w1", "w2", "w3", "w4")
    world = build(ClusterSpec(nodes=5, control_planes=1, self_contained_docker=own, replicas=2), clock)
    clock.passed = world.tick
    clock.leap(60.0 - clock.now() % 60.0)
    closes = datetime.fromtimestamp(clock.now(), UTC) + timedelta(minutes=4)
    window = {"start": f"{closes - timedelta(hours=2):%H:%M}", "end": f"{closes:%H:%M}"}
    promise = Promise(window=Window.model_validate(window))
    invariants = Invariants(world, promise, now=lambda: datetime.fromtimestamp(clock.now(), UTC))
    downloads: list[str] = []
    for name in own:
        world.machines[name].package_seconds = 60.0  # for each of two commands
        invariants.watch(name, downloading(name, downloads))
    runs = Engineless(world, tmp_path)
    migration = runs.migration(window=window, node_estimate=30, stage_parallelism=1)

    with pytest.raises(WindowClosed, match="the maintenance window is closed") as caught:
        runs.run(migration)
    assert invariants.broken == []
    assert caught.value.state == "left for the next window: w1, w2, w3, w4, cp1"
    assert {node.outcome for node in caught.value.report.nodes} == {"untouched"}
    assert downloads == ["w1", "w2"], "the second was begun inside"
    assert [node["metadata"]["name"] for node in world.store.list("Node") if "cri-switch.io/waiting" in str(node)] == []


def downloading(name: str, heard: list[str]) -> Hook:
    """Hears of each download."""

    def hook(argv: tuple[str, ...]) -> None:
        if argv[0] == "systemd-run" and "--download-only" in argv:
            heard.append(name)

    return hook
