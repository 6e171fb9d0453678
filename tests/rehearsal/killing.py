"""A cluster in memory, and processes that are killed at any word they speak with the outside."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from cri_switch.model.report import Report
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.invariants import Invariants
from cri_switch.rehearsal.packages import Package
from cri_switch.rehearsal.promise import Promise
from cri_switch.rehearsal.world import World
from tasks.step import stands
from tests.rehearsal.engineless import Engineless
from tests.rehearsal.leftovers import leftovers

NODES = {1: ("w1", "w2", "cp1"), 3: ("w1", "w2", "cp1", "cp2", "cp3")}
"""By the number of control planes."""
_HELD = ("containerd", "runc")
Between = Literal["nothing", "a reboot", "no checkpoints", "an hour"]


class Killed(BaseException):
    """SIGKILL: nobody may catch it and go on."""


@dataclass(frozen=True)
class Kill:
    """At a word of a step (0 to 999, of 1000), before or `after` its effect; what happens before the next run."""

    node: str
    step: str
    word: int
    after: bool
    between: Between


@dataclass
class Life:
    """One process, and what it says inside each step of each node; killed where `kill` says, if it comes there."""

    kill: Kill | None = None
    usual: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many words each step has, by an undisturbed run."""
    died_at: str = ""
    spoken: Counter[tuple[str, str]] = field(default_factory=Counter)

    def outside(self, what: str, act: Callable[[], Any]) -> Any:
        if self.died_at:
            raise Killed
        for node, at in stands().items():
            step, _, state = at.partition(" ")
            if state == "(not finished)":
                self.spoken[node, step] += 1
                if self._is_at(node, step):
                    assert self.kill is not None
                    self.died_at = f"{'after' if self.kill.after else 'before'} {what}"
                    if self.kill.after:
                        act()
                    raise Killed
        return act()

    def _is_at(self, node: str, step: str) -> bool:
        kill = self.kill
        if kill is None or (kill.node, kill.step) != (node, step):
            return False
        return self.spoken[node, step] == 1 + kill.word * self.usual[node, step] // 1000


@dataclass
class Cluster:
    """Control planes and two workers, w2 with a Docker that brings its own containerd; packages are held."""

    directory: Path
    early: bool = True
    """Whether containerd may be installed by `stage`."""
    control_planes: int = 1
    world: World = field(init=False)
    invariants: Invariants = field(init=False)
    runs: Engineless = field(init=False)

    def __post_init__(self) -> None:
        clock = VirtualClock()
        planes = self.control_planes
        spec = ClusterSpec(nodes=2 + planes, control_planes=planes, self_contained_docker=("w2",), replicas=2)
        self.world = build(spec, clock)
        clock.passed = self.world.tick
        for machine in self.world.machines.values():
            for name in _HELD:
                machine.packages.known.setdefault(name, Package(name, "", status="un")).hold = True
        self.invariants = Invariants(self.world, Promise(1))
        for name in self.world.machines:
            self.invariants.watch(name, lambda _argv: None)
        self.runs = Engineless(self.world, self.directory)

    def run(self, outside: Callable[[str, Callable[[], Any]], Any], number: int, **spec: Any) -> Report:
        """One process with these settings, known to others as `number`; the ones before it are dead."""
        self.runs.outside = outside
        with _process(number):
            return self.runs.run(self.runs.migration(stage_images=self.early, **spec))

    def rollback(self, node: str, number: int) -> None:
        """A node back, as a person types it."""
        self.invariants.asked_back(node)
        with _process(number):
            self.runs.rollback(self.runs.migration(stage_images=self.early), node)

    def journal(self, node: str) -> list[dict[str, Any]]:
        """Its lines; none where the run was killed before it came to the node."""
        files = self.world.machines[node].fs
        texts = (files.text(f"/var/lib/cri-switch/{each}/journal.jsonl") for each in files.names("/var/lib/cri-switch"))
        return [json.loads(line) for text in texts for line in (text or "").splitlines() if line]

    def happens(self, between: Between, node: str) -> None:
        if between == "a reboot":
            self.world.machines[node].reboot()
        if between == "no checkpoints":
            self.runs.checkpoints.clear()
        for _ in range(3600 if between == "an hour" else 150 if between == "a reboot" else 0):
            self.world.clock.sleep(1.0)

    def left(self) -> list[str]:
        """What is not as a whole migration leaves it."""
        lines = [*self.world.complaints, *self.invariants.broken, *self.invariants.finished(), *leftovers(self.world)]
        for name, machine in self.world.machines.items():
            node = self.world.store.get("Node", name)
            assert node is not None
            runtime = node["status"]["nodeInfo"]["containerRuntimeVersion"]
            lines += [] if runtime.startswith("containerd://") else [f"{name} reports {runtime}"]
            there = machine.packages.known
            lines += [f"{name}: {key} is not held" for key in _HELD if not there[key].hold]
            lines += [f"{name}: {machine.docker_package} is there"] * machine.packages.installed(machine.docker_package)
        return lines


@contextmanager
def _process(number: int) -> Iterator[None]:
    with ExitStack() as stack:
        for module in ("cri_switch.cluster.lease", "tasks.memory"):
            stack.enter_context(patch(f"{module}.this_process", lambda: f"process{number}"))
        for module in ("cri_switch.cluster.lease", "tasks.rescue"):
            stack.enter_context(patch(f"{module}.surely_dead", lambda who: who != f"process{number}"))
        yield


def begun(entries: list[dict[str, Any]]) -> Counter[tuple[int, str]]:
    return Counter((entry["attempt"], entry["step"]) for entry in entries if entry["event"] == "started")
