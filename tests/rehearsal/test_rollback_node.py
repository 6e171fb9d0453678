"""`rollback NODE`, as a person asks for it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cri_switch.model.errors import NotProven, PreflightError
from cri_switch.model.window import Window
from cri_switch.rehearsal import package_files
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.invariants import Invariants
from cri_switch.rehearsal.packages import Package
from cri_switch.rehearsal.promise import Promise
from cri_switch.rehearsal.world import World
from tests.rehearsal.engineless import Engineless


def built(**spec: object) -> World:
    clock = VirtualClock()
    world = build(ClusterSpec(control_planes=1, replicas=2, **spec), clock)  # type: ignore[arg-type]
    clock.passed = world.tick
    return world


def test_a_node_that_this_migration_never_had_is_left_alone(tmp_path: Path) -> None:
    """It came with containerd; Docker is installed beside it, for builds."""
    world = built(nodes=4, migrated=("w3",))
    w3 = world.machines["w3"]
    w3.packages.known[w3.docker_package] = Package(w3.docker_package, "20.10.5+dfsg1")
    package_files.unpack(w3, w3.docker_package)
    before = copy.deepcopy(world.store.get("Node", "w3"))
    runs = Engineless(world, tmp_path)
    with pytest.raises(NotProven, match=r"w3 runs containerd://.* it never had it") as caught:
        runs.rollback(runs.migration(), "w3")
    assert caught.value.state == "nothing was touched"
    assert "spec.migration_id" in caught.value.next_step
    now = world.store.get("Node", "w3")
    assert before is not None
    assert now is not None
    assert now["spec"] == before["spec"]
    assert now["metadata"].get("annotations") == before["metadata"].get("annotations")
    assert w3.systemd.active("kubelet.service")


def test_one_that_is_on_docker_has_nothing_to_be_put_back(tmp_path: Path) -> None:
    runs = Engineless(built(nodes=3), tmp_path)
    report = runs.rollback(runs.migration(), "w1")
    assert {node.name: node.outcome for node in report.nodes} == {"w1": "rolled-back"}
    assert "nothing was to be put back" in report.nodes[0].reason


def test_one_that_it_had_goes_back_and_once_more_changes_nothing(tmp_path: Path) -> None:
    world = built(nodes=3)
    runs = Engineless(world, tmp_path)
    assert runs.run(runs.migration(remove_docker="never")).nodes[1].outcome == "migrated"
    for _ in range(2):
        assert runs.rollback(runs.migration(), "w1").nodes[0].outcome == "rolled-back"
        node = world.store.get("Node", "w1")
        assert node is not None
        assert node["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("docker://")
        assert not node["spec"].get("unschedulable")


@pytest.mark.parametrize("name", ["w1", "cp1"])
def test_a_person_may_ask_for_it_at_any_time(tmp_path: Path, name: str) -> None:
    """Outside the window, and for a control-plane node while a worker is on Docker."""
    world = built(nodes=3)
    clock = world.clock
    begins = datetime.fromtimestamp(clock.now(), UTC)
    window = {"start": f"{begins:%H:%M}", "end": f"{begins + timedelta(hours=1):%H:%M}"}
    promise = Promise(window=Window.model_validate(window))
    invariants = Invariants(world, promise, now=lambda: datetime.fromtimestamp(clock.now(), UTC))
    for each in world.machines:
        invariants.watch(each, lambda _argv: None)
    runs = Engineless(world, tmp_path)
    migration = runs.migration(window=window, node_estimate=1, remove_docker="never")
    runs.run(migration)
    clock.leap(7200.0)
    for asked in ("w1", name):
        invariants.asked_back(asked)
        assert runs.rollback(migration, asked).nodes[0].outcome == "rolled-back"
    assert invariants.broken == []
    assert invariants.finished() == []


@pytest.mark.parametrize("flow", ["rollback", "cleanup"])
def test_neither_rollback_nor_cleanup_begins_on_a_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flow: str
) -> None:
    """Whichever of the cluster's nodes it is; that cannot be ignored."""
    world = built(nodes=3)
    runs = Engineless(world, tmp_path)
    runs.run(runs.migration(remove_docker="never"))
    own = {"/etc/machine-id": (world.machines["w2"].fs.text("/etc/machine-id") or "").strip()}
    monkeypatch.setattr("tasks.orchestrator._text", lambda path: own.get(str(path), ""))
    asked: list[tuple[str, ...]] = []
    for machine in world.machines.values():
        machine.fault_hook = asked.append
    migration = runs.migration(ignore_preflight_errors=["all"])
    with pytest.raises(PreflightError, match="this process runs on node w2: the same machine id") as caught:
        runs.rollback(migration, "w1") if flow == "rollback" else runs.cleanup(migration, "rehearsal")
    assert (caught.value.exit_code, caught.value.state) == (3, "nothing was touched")
    assert asked == []
    assert all(not node["spec"].get("unschedulable") for node in world.store.list("Node"))
