"""Drawn clusters, settings and faults: the simulator's invariants hold on every event, and every node ends well.

In memory, in virtual time, without the engine. CRI_SWITCH_REHEARSALS says how many clusters are drawn (50).
"""

from __future__ import annotations

import itertools
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st

from cri_switch.model.batches import at_once
from cri_switch.model.errors import CriSwitchError
from cri_switch.model.window import Window
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.changes import changes
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.faults import FAULTS, Hook
from cri_switch.rehearsal.invariants import Invariants, Promise
from cri_switch.rehearsal.node_fault import NodeFault, together
from cri_switch.rehearsal.world import World
from tests.rehearsal.engineless import Engineless

DRAWN = int(os.environ.get("CRI_SWITCH_REHEARSALS", "50"))
_RUNS = 4
MISHAPS = {
    "fails": NodeFault(1, "simulated fault"),
    "hangs": NodeFault(hang=5000.0),
    "hangs and did it": NodeFault(hang=5000.0, after=True),
    "dies with the connection": NodeFault(drop=True),
    "did it and dies with the connection": NodeFault(drop=True, after=True),
    "reboots": NodeFault(reboot=True),
}


@dataclass(frozen=True)
class Case:
    """What was drawn."""

    cluster: ClusterSpec
    max_unavailable: int | str
    max_failures: int
    remove_docker: str
    exclude: tuple[str, ...]
    fault: str
    where: str
    mishap: tuple[str, int]
    """Of every script kind, and at which word that changes something on the node `where`."""
    window: int | None
    """Minutes until the maintenance window closes; it opens again a day later."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    planes = draw(st.sampled_from([1, 3]))
    workers = draw(st.integers(1, 5))
    names = ClusterSpec(nodes=planes + workers, control_planes=planes).names
    some_workers = st.sets(st.sampled_from([name for name in names if name.startswith("w")]), max_size=2)
    migrated, own = draw(some_workers), draw(some_workers)
    cordoned = draw(some_workers) if workers > 2 else set[str]()
    excluded = draw(some_workers) if draw(st.booleans()) else set[str]()
    free = workers - len(cordoned)
    debian_12 = draw(st.sets(st.sampled_from(names))) if draw(st.booleans()) else set[str]()
    amounts: list[int | str] = [1, 2, 3, "25%", "100%"]
    cluster = ClusterSpec(
        nodes=planes + workers,
        control_planes=planes,
        release=draw(st.sampled_from(["v1.20.2", "v1.20.2", "v1.19.16", "v1.21.14", "v1.22.17", "v1.23.17"])),
        debian_12=tuple(sorted(debian_12)),
        spare=draw(st.integers(1, 2)),
        cgroup_driver=draw(st.sampled_from(["cgroupfs", "systemd"])),
        migrated=tuple(sorted(migrated)),
        cordoned=tuple(sorted(cordoned)),
        self_contained_docker=tuple(sorted(own - migrated)),
        replicas=draw(st.integers(2, 4)) if free > 1 else 2,
    )
    return Case(
        cluster,
        draw(st.sampled_from(amounts)),
        draw(st.sampled_from([0, 0, 1])),
        draw(st.sampled_from(["after_migration", "after_node", "never"])),
        tuple(sorted(excluded)),
        draw(st.sampled_from(["", *FAULTS])),
        draw(st.sampled_from(names)),
        (draw(st.sampled_from(["", "", *MISHAPS])), draw(st.integers(0, 40))),
        draw(st.sampled_from([None, None, 3, 10, 30])),
    )


def mishap(kind: str, at: int) -> Hook:
    """At the word number `at` that changes something: once, it fails, hangs, dies with the connection, or reboots."""
    seen = itertools.count()
    return lambda argv: MISHAPS[kind] if kind and changes(argv) and next(seen) == at else None


def window(minutes: int, now: float) -> dict[str, str]:
    """A window that opened just now."""
    opened = datetime.fromtimestamp(now, UTC)
    closes = opened + timedelta(minutes=minutes)
    return {"start": f"{opened:%H:%M}", "end": f"{closes:%H:%M}"}


def fits(case: Case, at_once_: int) -> bool:
    """Whether what is evicted has room elsewhere, so that nothing holds the budget back."""
    workers = case.cluster.nodes - case.cluster.control_planes
    return workers - len(case.cluster.cordoned) - at_once_ >= 1


def until_open(wanted: Window | None, world: World) -> None:
    """Let the night pass: time leaps to the window's next opening, and the cluster comes to rest."""
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    opens = wanted.next_opening(now) if wanted and not wanted.contains(now) else None
    if opens is not None:
        world.clock.leap((opens - now).total_seconds() + 1.0)
        for _ in range(60):
            world.clock.sleep(1.0)


@pytest.mark.timeout(max(600, 20 * DRAWN))
@settings(
    max_examples=DRAWN,
    deadline=None,
    derandomize=DRAWN <= 50,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(cases())
def test_every_promise_is_kept_and_every_node_ends_well(case: Case) -> None:
    clock = VirtualClock()
    world = build(case.cluster, clock)
    clock.passed = world.tick
    workers = case.cluster.nodes - case.cluster.control_planes
    promise = Promise(
        at_once(case.max_unavailable, workers),
        frozenset({*case.cluster.migrated, *case.exclude}),
        case.max_failures,
        Window.model_validate(window(case.window, clock.now())) if case.window else None,
    )
    invariants = Invariants(world, promise, now=lambda: datetime.fromtimestamp(clock.now(), UTC))
    begin = FAULTS[case.fault].begin(world, case.where) if case.fault else None
    for name in world.machines:
        hooks = [begin, mishap(*case.mishap)] if begin else [mishap(*case.mishap)]
        invariants.watch(name, together(hooks if name == case.where else []))
    said: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        runs = Engineless(world, Path(folder))
        spec: dict[str, Any] = {
            "max_unavailable": case.max_unavailable,
            "max_failures": case.max_failures,
            "remove_docker": case.remove_docker,
            "nodes": {"exclude": list(case.exclude)},
            "node_estimate": 120,
            "ignore_preflight_errors": ["TiedToCordonedNode"],
        }
        if case.window:
            spec["window"] = window(case.window, clock.now())
        arrived = False
        for _ in range(_RUNS):
            try:
                runs.run(runs.migration(**spec))
            except CriSwitchError as problem:
                said.append(f"{type(problem).__name__}: {problem}")
            else:
                arrived = True
                break
            for _ in range(240):  # what was broken for a while is not any more
                clock.sleep(1.0)
            until_open(promise.window, world)
    note("\n".join(said))
    event(f"{case.fault or 'no fault'}: {'arrived' if arrived else said[-1].split(':')[0]}")
    assert world.complaints == []
    assert invariants.broken == []
    assert invariants.finished() == []
    if not (case.fault or case.mishap[0] or case.window) and fits(case, promise.max_unavailable):
        assert arrived
