"""The rehearsal's half of the twins: a cluster built to look like the lab, the same runs, the same variants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cri_switch.node.command import Result
from cri_switch.node.transfer import Download
from cri_switch.rehearsal.build import ClusterSpec
from cri_switch.rehearsal.connection import MemoryConnection
from tests.twin.failing import Variant
from tests.twin.rehearsed import Rehearsed
from tests.twin.tape import Tape
from tests.twin.tried import try_containerd, try_docker, try_refused

LIKE_THE_LAB = ClusterSpec(nodes=3, control_planes=1, self_contained_docker=("w2",))
RUNS = ("plan", "migrate#1", "migrate#2", "rollback w1")
"""The first migration fails on w1 when its kubelet runs on containerd, and takes it back."""
FAULT = ("w1", "start_kubelet")
RULE, AWAY = "/etc/sudoers.d/cri-switch", "/var/lib/cri-switch.away"
NODE = "w1"


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
    for name in RUNS:
        runs.play(name, fault=FAULT if name == "migrate#1" else None)
    if variants:
        with tape.listening(MemoryConnection):
            try_containerd(connection, tape, variants)
    return tape, runs
