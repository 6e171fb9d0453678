"""The rehearsal's half of the twins: a cluster built to look like the lab, the same runs, the same variants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cri_switch.node.command import Result
from cri_switch.node.transfer import Download
from cri_switch.rehearsal.box import Box
from cri_switch.rehearsal.build import ClusterSpec
from cri_switch.rehearsal.connection import MemoryConnection
from cri_switch.rehearsal.machine import Machine
from tests.twin.failing import Variant, name
from tests.twin.rehearsed import Rehearsed
from tests.twin.succeeding import try_succeeding
from tests.twin.tape import Heard, Tape
from tests.twin.tried import try_containerd, try_docker, try_refused

LIKE_THE_LAB = ClusterSpec(nodes=3, control_planes=1, self_contained_docker=("w2",))
RUNS = ("plan", "migrate#1", "migrate#2", "rollback w1")
"""The first migration fails on w1 when its kubelet runs on containerd, and takes it back."""
FAULT = ("w1", "start_kubelet")
RULE, AWAY = "/etc/sudoers.d/cri-switch", "/var/lib/cri-switch.away"
NODE, PLANE = "w1", "cp1"


def like_the_lab(directory: Path, variants: Sequence[Variant] = ()) -> tuple[Tape, Rehearsed]:
    """The runs that are also made on a lab; before and after them the variants."""
    tape = Tape()
    runs = Rehearsed(LIKE_THE_LAB, directory, tape)
    machines = runs.world.machines
    for machine in machines.values():  # the lab's machines forward before Docker starts
        machine.firewall.policies["filter", "FORWARD"] = "ACCEPT"
    connection, fs = MemoryConnection(machines[NODE], Result, Download), machines[NODE].fs

    def hide(away: bool) -> None:
        here, there = (RULE, AWAY) if away else (AWAY, RULE)
        fs.put(there, fs.read(here), 0o440)
        fs.remove(here)

    if variants:
        with tape.listening(MemoryConnection):
            try_docker(connection, tape, variants)
            try_refused(connection, tape, variants, hide)
        for _ in range(120):
            runs.world.clock.sleep(1.0)
    for run in RUNS:
        runs.play(run, fault=FAULT if run == "migrate#1" else None)
    if variants:
        with tape.listening(MemoryConnection):
            try_containerd(connection, tape, variants)
            plane = MemoryConnection(machines[PLANE], Result, Download)
            try_succeeding(
                connection, plane, tape, runs.world.clock.sleep, lambda identity: _foreign(machines[NODE], identity)
            )
    return tape, runs


def failed_on_a_rehearsal_node(variants: Sequence[Variant], directory: Path) -> list[Heard]:
    """What the failing variants were answered, each in its state; not those for which the sudo rule is hidden."""
    tape = Tape()
    runs = Rehearsed(LIKE_THE_LAB, directory, tape)
    connection = MemoryConnection(runs.world.machines[NODE], Result, Download)
    with tape.listening(MemoryConnection):
        try_docker(connection, tape, variants)
    for _ in range(120):
        runs.world.clock.sleep(1.0)
    runs.play("migrate#2")
    with tape.listening(MemoryConnection):
        try_containerd(connection, tape, variants)
    wanted = {(f"{one.state}: fails", name(one.command)) for one in variants}
    return list({place: one for one in tape.heard if (place := (one.stage, one.use[2])) in wanted}.values())


def _foreign(machine: Machine, identity: str) -> None:
    engine = machine.containerd
    pause = engine.settings()[0]
    engine.start_box(Box(identity, "foreign", engine.pull(pause), pause))
