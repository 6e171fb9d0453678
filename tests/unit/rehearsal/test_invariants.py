"""Each invariant is seen to be broken by what breaks it, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest

from cri_switch.model.window import Window
from cri_switch.rehearsal.build import ACCOUNT, ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.invariants import Invariants, Promise, changes
from cri_switch.rehearsal.world import World

Deed = Callable[[World, Invariants], None]


def cordon(name: str, on: bool, world: World, _invariants: Invariants) -> None:
    with world.store.acting(f"api:{ACCOUNT}"):
        world.store.change("Node", name, "", lambda node: node["spec"].update(unschedulable=on))


def stop(name: str, _world: World, invariants: Invariants) -> None:
    invariants.program(name, ("systemctl", "stop", "kubelet.service"))


def program(name: str, line: str, _world: World, invariants: Invariants) -> None:
    invariants.program(name, tuple(line.split()))


def take(app: str, world: World, _invariants: Invariants) -> None:
    """All pods of an app are deleted, without asking their budget."""
    with world.store.acting(f"api:{ACCOUNT}"):
        for pod in world.store.list("Pod", "shop"):
            if pod["metadata"]["labels"]["app"] == app:
                world.store.delete("Pod", pod["metadata"]["name"], "shop")


def all_cordoned(world: World, invariants: Invariants) -> None:
    for name in world.machines:
        cordon(name, True, world, invariants)


LINES: dict[str, tuple[list[Deed], str]] = {
    "one worker": ([partial(stop, "w1")], ""),
    "one after the other": (
        [partial(cordon, "w1", True), partial(stop, "w1"), partial(cordon, "w1", False), partial(stop, "w2")],
        "",
    ),
    "two workers": ([partial(stop, "w1"), partial(stop, "w2")], "2 workers are out"),
    "control planes": ([partial(stop, "cp1"), partial(stop, "cp2")], "two control-plane nodes"),
    "too early": ([partial(stop, "cp1")], "taken out before w1, w2"),
    "drained uncordoned": ([partial(take, "ledger")], "which is not cordoned"),
    "against a budget": ([all_cordoned, partial(take, "web")], "against PodDisruptionBudget web"),
    "unproven": ([partial(program, "w1", "apt-get -y remove docker.io")], "which is not proven"),
    "a simulated removal": ([partial(program, "w1", "apt-get -s -y remove docker.io")], ""),
    "left alone": ([partial(program, "w3", "systemctl restart containerd.service")], "w3 is to be left alone"),
    "only looked at": ([partial(program, "w3", "systemctl show docker.service")], ""),
    "an administrator's cordon": ([partial(cordon, "w4", False)], "cordoned by an administrator"),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_what_breaks_a_promise(case: str) -> None:
    deeds, expected = LINES[case]
    world = build(
        ClusterSpec(nodes=7, control_planes=3, migrated=("w3",), cordoned=("w4",), replicas=2), VirtualClock()
    )
    invariants = Invariants(world, Promise(1, frozenset({"w3"})))
    for deed in deeds:
        deed(world, invariants)
    said = "\n".join(invariants.broken)
    if expected:
        assert expected in said
    else:
        assert said == ""


def test_nothing_starts_outside_the_window() -> None:
    world = build(ClusterSpec(nodes=2, control_planes=1, replicas=1), VirtualClock())
    window = Window(start="22:00", end="04:00")
    invariants = Invariants(world, Promise(1, window=window), now=lambda: datetime(2026, 11, 23, 12, tzinfo=UTC))
    stop("w1", world, invariants)
    assert "outside the window" in invariants.broken[0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("systemctl is-active docker.service", False),
        ("systemctl mask docker.service", True),
        ("docker ps -a", False),
        ("docker stop x", True),
        ("iptables -S", False),
        ("iptables -w 10 -D FORWARD -j X", True),
        ("dd of=/var/lib/cri-switch/x/journal.jsonl", False),
        ("dd of=/etc/containerd/config.toml", True),
        ("cat /etc/os-release", False),
    ],
)
def test_what_changes_a_node(line: str, expected: bool) -> None:
    assert changes(tuple(line.split())) is expected
