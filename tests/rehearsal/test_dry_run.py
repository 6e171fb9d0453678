"""A dry run executes the same flow and the same actions and changes nothing: neither on a node nor in the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.steps import STEPS
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.machine import Machine
from cri_switch.rehearsal.store import Event
from cri_switch.rehearsal.world import World
from tests.rehearsal.engineless import Engineless

_OURS = "api:"
"""What comes over HTTP: here only the pipeline does."""


@pytest.fixture
def world() -> World:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=4, control_planes=1), clock)
    clock.passed = world.tick
    return world


@pytest.mark.parametrize("spec", [{}, {"max_unavailable": 2, "remove_docker": "after_node"}])
def test_nothing_is_changed(world: World, tmp_path: Path, spec: dict[str, Any]) -> None:
    runs = Engineless(world, tmp_path)
    written: list[Event] = []
    before = {name: whole(machine) for name, machine in world.machines.items()}
    world.store.subscribe(lambda event: written.append(event) if event.actor.startswith(_OURS) else None)
    report = runs.run(runs.migration(dry_run=True, **spec))
    assert {node.name: node.outcome for node in report.nodes} == dict.fromkeys(world.machines, "untouched")
    assert set(STEPS) <= set(runs.executed), "the same steps"
    assert [f"{event.type} {event.kind} {event.object['metadata']['name']}" for event in written] == []
    assert world.store.get("Lease", "cri-switch", "kube-system") is None
    for name, machine in world.machines.items():
        assert differences(before[name], whole(machine)) == {}
    assert runs.checkpoints == {}
    assert [path.name for path in tmp_path.iterdir()] == []

    runs.run(runs.migration(**spec))
    assert written, "a real run is seen by the same look"
    assert all(differences(before[name], whole(machine)) for name, machine in world.machines.items())


def whole(machine: Machine) -> dict[str, str]:
    """Everything of a machine by a name of its own: files, units, packages, rules, containers, processes, kernel."""
    seen = {}
    for path, entry in machine.fs.walk("/"):
        inode = [
            entry.kind,
            oct(entry.mode),
            entry.owner,
            entry.target,
            entry.size,
            entry.mtime if entry.kind != "d" else 0,
        ]
        seen[f"file {path}"] = f"{inode} {entry.content!r}"
    for unit in [unit for unit in machine.systemd.states if machine.systemd.exists(unit)]:
        state = machine.systemd.state(unit)
        seen[f"unit {unit}"] = f"{state} {machine.systemd.files.state(unit)}"
    for name, package in machine.packages.known.items():
        seen[f"package {name}"] = repr(package)
    seen["iptables"] = f"{machine.firewall.save()}{machine.firewall6.save()}"
    for engine in (machine.docker, machine.containerd):
        for box in engine.boxes.values():
            seen[f"container {box.id}"] = f"{engine.namespace} {box.name} {box.state} {box.pid}"
    seen["kernel"] = json.dumps(vars(machine.kernel), default=repr, sort_keys=True)
    return seen


def differences(was: dict[str, str], now: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    return {name: (was.get(name), now.get(name)) for name in {*was, *now} if was.get(name) != now.get(name)}
