"""Drawn clusters, settings and faults: the simulator's invariants hold on every event, and every node ends well.

In memory, in virtual time, without the engine. Every fault and every mishap is met once on a cluster that it suits;
CRI_SWITCH_REHEARSALS says how many other clusters are drawn (50).
"""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from cri_switch.cluster.mark import MIGRATED
from cri_switch.model.errors import CriSwitchError
from cri_switch.model.window import Window
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.changes import changes
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.faults import FAULTS
from cri_switch.rehearsal.invariants import Invariants
from cri_switch.rehearsal.node_fault import Hook, NodeFault, together
from cri_switch.rehearsal.promise import Promise
from cri_switch.rehearsal.world import World
from tests.rehearsal.drawing import drawing
from tests.rehearsal.engineless import Engineless
from tests.rehearsal.held_agent import NAME as HELD
from tests.rehearsal.held_agent import daemonset, may_be_held
from tests.rehearsal.leftovers import leftovers

ZONE, POOL = "topology.kubernetes.io/zone", {"pool": "a"}
DRAWN = int(os.environ.get("CRI_SWITCH_REHEARSALS", "50"))
_RUNS = 4
_UNHEALTHY = re.compile(r"unhealthy: ([^;\]\n]*)")
_HALF_DONE = re.compile(r"(\S+) is left half done by an earlier run")
"""Nodes of which a run says itself that they could not go back: the next one sees to them."""
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
    nodes: dict[str, Any]
    """Which are chosen."""
    fault: str
    where: str
    mishap: tuple[str, int]
    """Of every script kind, and at which word that changes something on the node `where`."""
    window: int | None = None
    """Minutes until the maintenance window closes; it opens again a day later."""
    more: tuple[tuple[str, Any], ...] = ()
    """Further settings."""

    @property
    def left_alone(self) -> set[str]:
        """The nodes that nothing may be done to: those that are not chosen, and those that were migrated before."""
        names, nodes = set(self.cluster.names), self.nodes
        chosen = names - set(nodes.get("exclude", ())) - set(self.cluster.migrated)
        if "role" in nodes:
            chosen &= {name for name in names if name.startswith("cp") == (nodes["role"] == "control-plane")}
        if "limit" in nodes:
            chosen &= set(nodes["limit"])
        if "selector" in nodes:
            chosen &= {name for name, labels in self.cluster.labels.items() if POOL.items() <= labels.items()}
        return names - chosen


@st.composite
def cases(draw: st.DrawFn) -> Case:
    planes = draw(st.sampled_from([1, 3]))
    workers = draw(st.integers(1, 5))
    names = ClusterSpec(nodes=planes + workers, control_planes=planes).names
    some = st.sets(st.sampled_from(names), max_size=2)
    migrated, own = draw(some), draw(some)
    cordoned = draw(some) if workers > 2 else set[str]()
    free = workers - sum(1 for name in cordoned if name.startswith("w"))
    debian_12 = draw(st.sets(st.sampled_from(names))) if draw(st.booleans()) else set[str]()
    marks = st.fixed_dictionaries(
        {}, optional={ZONE: st.sampled_from("ab"), **{k: st.just(v) for k, v in POOL.items()}}
    )
    labels = draw(st.dictionaries(st.sampled_from(names), marks))
    fault = draw(st.sampled_from(["", *FAULTS]))
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
        budget=draw(st.sampled_from(["minAvailable", "maxUnavailable", "percent"])),
        ordered=draw(st.booleans()),
        stubborn=draw(st.booleans()),
        bare=tuple(sorted(draw(st.sets(st.sampled_from(names), max_size=2)))) if draw(st.booleans()) else (),
        labels=labels,
    )
    nodes = draw(chosen(names, labels))
    alone = Case(cluster, 1, 0, "never", nodes, "", "", ("", 0)).left_alone
    met = (own - migrated if fault and FAULTS[fault].installs else set(names)) - alone
    return Case(
        cluster,
        draw(st.sampled_from(amounts)),
        draw(st.sampled_from([0, 0, 1])),
        draw(st.sampled_from(["after_migration", "after_node", "never"])),
        nodes,
        fault if met else "",  # of a node that is left alone nothing would mend it
        draw(st.sampled_from(sorted(met or names))),
        (draw(st.sampled_from(["", "", *MISHAPS])), draw(st.integers(0, 60))),
        draw(st.sampled_from([None, None, 6, 10, 30])),
        (
            ("dockerd_until_kubelet", draw(st.booleans())),
            ("drain", {"force": draw(st.sampled_from([True, True, False]))}),
            ("stage_images", draw(st.booleans())),
            ("ramp", draw(st.sampled_from([None, "1,2", "2,50%"]))),
            ("spread", draw(st.sampled_from([None, ZONE]))),
            ("hold_daemonsets", draw(st.sampled_from([[], [HELD]]))),
        ),
    )


@st.composite
def chosen(draw: st.DrawFn, names: Sequence[str], labels: dict[str, dict[str, str]]) -> dict[str, Any]:
    """`spec.nodes`, with the more likely choices first; a selector only where it finds something."""
    some = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True).map(sorted)
    pooled = any(POOL.items() <= each.items() for each in labels.values())
    match draw(st.sampled_from(["all", "all", "exclude", "exclude", "role", "limit", "selector"])):
        case "exclude":
            return {"exclude": draw(some)}
        case "role":
            return {"role": draw(st.sampled_from(["worker", "control-plane"]))}
        case "limit":
            return {"limit": draw(st.lists(st.sampled_from(names), min_size=1, unique=True).map(sorted))}
        case "selector" if pooled:
            return {"selector": ",".join(f"{key}={value}" for key, value in POOL.items())}
    return {}


def mishap(kind: str, at: int) -> Hook:
    """At the word number `at` that changes something: once, it fails, hangs, dies with the connection, or reboots."""
    seen = itertools.count()
    return lambda argv: MISHAPS[kind] if kind and changes(argv) and next(seen) == at else None


def window(minutes: int, now: float) -> dict[str, str]:
    """A window that opened just now."""
    opened = datetime.fromtimestamp(now, UTC)
    closes = opened + timedelta(minutes=minutes)
    return {"start": f"{opened:%H:%M}", "end": f"{closes:%H:%M}"}


def may_be_out(max_unavailable: int | str, workers: int) -> int:
    """How many workers the settings let be out at once."""
    if isinstance(max_unavailable, int):
        return max_unavailable
    return max(1, int(workers * float(max_unavailable.removesuffix("%")) / 100))


def fits(case: Case) -> bool:
    """Whether what is evicted has room elsewhere, so that nothing holds the budget back, and all may be evicted."""
    workers = case.cluster.nodes - case.cluster.control_planes
    if case.cluster.bare and not dict(case.more)["drain"]["force"]:
        return False
    return workers - len(case.cluster.cordoned) - may_be_out(case.max_unavailable, workers) >= 1


def until_open(wanted: Window | None, world: World) -> None:
    """Let the night pass: time leaps to the window's next opening, and the cluster comes to rest."""
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    opens = wanted.next_opening(now) if wanted and not wanted.contains(now) else None
    if opens is not None:
        world.clock.leap((opens - now).total_seconds() + 1.0)
        for _ in range(60):
            world.clock.sleep(1.0)


@dataclass
class Ending:
    """How it came out."""

    arrived: bool
    said: list[str]
    """What the runs raised."""
    taken: set[str]
    """Nodes that were out."""
    struck: int
    """How often the fault or the mishap met a command or a call."""
    stranded: set[str]
    """Nodes that are unhealthy after the last run, as that one says."""


def told_of(said: list[str]) -> set[str]:
    """The nodes that the last run calls unhealthy, or still half done where an earlier one did."""
    unhealthy = [set(" ".join(_UNHEALTHY.findall(each)).replace(",", " ").split()) for each in said]
    if not said:
        return set()
    return unhealthy[-1] | (set(_HALF_DONE.findall(said[-1])) & set().union(*unhealthy))


def rehearse(case: Case) -> Ending:
    """Runs until one arrives, the promises judged after each."""
    clock = VirtualClock()
    world = build(case.cluster, clock)
    may_be_held(world)
    agent = daemonset(world)
    clock.passed = world.tick
    workers = case.cluster.nodes - case.cluster.control_planes
    promise = Promise(
        may_be_out(case.max_unavailable, workers),
        frozenset(case.left_alone),
        case.max_failures,
        Window.model_validate(window(case.window, clock.now())) if case.window else None,
        case.remove_docker == "after_node",
        dict(case.more).get("drain", {}).get("force", False),
    )
    invariants = Invariants(world, promise, now=lambda: datetime.fromtimestamp(clock.now(), UTC))
    begin = FAULTS[case.fault].begin(world, case.where) if case.fault else None
    strikes = itertools.count()
    hook, api = together([*([begin] if begin else []), mishap(*case.mishap)]), world.api.fault
    for name in world.machines:
        invariants.watch(name, counted(hook, strikes) if name == case.where else together([]))
    world.api.fault = counted(api, strikes)
    said: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        runs = Engineless(world, Path(folder))
        spec: dict[str, Any] = {
            "max_unavailable": case.max_unavailable,
            "max_failures": case.max_failures,
            "remove_docker": case.remove_docker,
            "nodes": case.nodes,
            "node_estimate": 120,
            "ignore_preflight_errors": ["TiedToCordonedNode"],
            **dict(case.more),
        }
        if case.window:
            spec["window"] = window(case.window, clock.now())
        arrived, told = False, set[str]()
        for _ in range(_RUNS):
            try:
                runs.run(runs.migration(**spec))
            except CriSwitchError as problem:
                said.append(f"{type(problem).__name__}: {problem} [{problem.state}]")
            else:
                arrived = True
            for _ in range(240):  # what was broken for a while is not any more
                clock.sleep(1.0)
            told = told_of(said) if not arrived else set()
            assert [line for line in invariants.finished() if line.split()[0] not in told] == [], said
            if arrived:
                assert daemonset(world) == agent, "nothing is held any more"
                kept = f"has {MIGRATED} in its annotations" if case.remove_docker == "never" else ""
                assert [line for line in leftovers(world) if not (kept and line.endswith(kept))] == []
                break
            until_open(promise.window, world)
    assert world.complaints == []
    assert invariants.broken == [], said
    return Ending(arrived, said, invariants.taken, next(strikes), told)


Asked = TypeVar("Asked")
Given = TypeVar("Given")


def counted(hook: Callable[[Asked], Given | None], strikes: Iterator[int]) -> Callable[[Asked], Given | None]:
    """The same hook, counting how often it answers."""

    def counting(asked: Asked) -> Given | None:
        found = hook(asked)
        if found is not None:
            next(strikes)
        return found

    return counting


def suited(fault: str = "", mishap_: str = "") -> Case:
    """A cluster whose w2 meets it while it is done."""
    own = ("w2",) if fault and FAULTS[fault].installs else ()
    cluster = ClusterSpec(nodes=4, control_planes=1, self_contained_docker=own, replicas=2)
    return Case(cluster, 1, 0, "after_node", {}, fault, "w2", (mishap_, 25))


BEFORE = ("disk-full", "network-cut", "pdb-never")
"""Faults that hold every node back, so that none is begun."""
UNCOUNTED = ("never-ready", "disk-full", "disk-fills", "packages-slow", "pdb-never")
"""Faults that are a state of the cluster and answer nothing themselves."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_met_and_what_mends_ends_well(fault: str) -> None:
    found = rehearse(suited(fault))
    assert found.arrived == FAULTS[fault].mends, found.said
    assert (found.struck > 0) == (fault not in UNCOUNTED)
    assert bool(found.taken) == (fault not in BEFORE)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", MISHAPS)
def test_every_mishap_is_met_and_ends_well(kind: str) -> None:
    found = rehearse(suited(mishap_=kind))
    assert found.struck == 1
    assert found.arrived, found.said


@pytest.mark.timeout(max(600, 20 * DRAWN))
def test_every_promise_is_kept_and_every_node_ends_well() -> None:
    taken, arrived = Counter[bool](), Counter[bool]()

    @drawing(DRAWN, same=DRAWN <= 50)
    @given(cases())
    def drawn(case: Case) -> None:
        found = rehearse(case)
        event(f"{case.fault or 'no fault'}: {'arrived' if found.arrived else found.said[-1].split(':')[0]}")
        taken[bool(found.taken)] += 1
        arrived[found.arrived] += 1
        assert not found.stranded or (case.fault and not FAULTS[case.fault].mends), found.said
        if not (case.fault or case.mishap[0] or case.window) and fits(case):
            assert found.arrived, found.said

    drawn()
    assert taken[True] > taken.total() // 2, taken  # else little was tried
    assert arrived[True] > arrived.total() // 3, arrived
