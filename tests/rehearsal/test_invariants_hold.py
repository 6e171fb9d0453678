"""Drawn clusters, settings and faults: the simulator's invariants hold on every event, and every node ends well.

In memory, in virtual time, without the engine. CRI_SWITCH_REHEARSALS says how many clusters are drawn (50).
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st

from cri_switch.model.batches import at_once
from cri_switch.model.errors import CriSwitchError
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.faults import FAULTS
from cri_switch.rehearsal.invariants import Invariants, Promise
from tests.rehearsal.engineless import Engineless

DRAWN = int(os.environ.get("CRI_SWITCH_REHEARSALS", "50"))
_RUNS = 3


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
    amounts: list[int | str] = [1, 2, 3, "25%", "100%"]
    cluster = ClusterSpec(
        nodes=planes + workers,
        control_planes=planes,
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
    )


def fits(case: Case, at_once_: int) -> bool:
    """Whether what is evicted has room elsewhere, so that nothing holds the budget back."""
    workers = case.cluster.nodes - case.cluster.control_planes
    return workers - len(case.cluster.cordoned) - at_once_ >= 1


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
    )
    invariants = Invariants(world, promise)
    begin = FAULTS[case.fault].begin(world, case.where) if case.fault else None
    for name in world.machines:
        invariants.watch(name, begin if begin and name == case.where else lambda _argv: None)
    said: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        runs = Engineless(world, Path(folder))
        spec: dict[str, Any] = {
            "max_unavailable": case.max_unavailable,
            "max_failures": case.max_failures,
            "remove_docker": case.remove_docker,
            "nodes": {"exclude": list(case.exclude)},
        }
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
    note("\n".join(said))
    event(f"{case.fault or 'no fault'}: {'arrived' if arrived else said[-1].split(':')[0]}")
    assert world.complaints == []
    assert invariants.broken == []
    assert invariants.finished() == []
    if not case.fault and fits(case, promise.max_unavailable):
        assert arrived
