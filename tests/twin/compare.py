"""The two tapes side by side: what the simulated nodes answered, and what the real ones did.

`python -m tests.twin.compare REHEARSAL.json LAB.json`: the tapes that a run of the twins has left, for a person.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.twin.shape import answer, said
from tests.twin.tape import Heard, Tape

LESS = {
    "apt-get -s": "apt tells of its progress and of other packages",
    "dpkg-query -W": "packages of the release without an epoch or a revision",
    "ping": "a line for the bytes, one for the statistics",
    "ss -x": "sockets of others, of other kinds",
    "sudo crictl --runtime-endpoint unix:///run/containerd/containerd.sock info": "JSON of which less is read",
    "sudo crictl --runtime-endpoint unix:///run/containerd/containerd.sock inspect": "the same",
    "sudo crictl --runtime-endpoint unix:///run/containerd/containerd.sock ps": "containers start a moment earlier",
    "sudo crictl exec": "JSON of etcdctl's of which less is read",
    "sudo crictl info": "JSON of which less is read",
    "sudo docker exec": "JSON of etcdctl's of which less is read",
    "sudo grep -s -a -H -- PATH": "files of the distribution are longer",
    "sudo ip6tables-save": "comments; chains of before",
    "sudo iptables-save": "comments; the kubelet's mangle table",
    "systemctl cat": "units of the distribution are longer",
    "systemctl show": "a time that is empty on a unit that just went",
}
"""Commands, by their beginning, of whose answers the rehearsal has a part of the real forms, and what it has not."""


@dataclass(frozen=True)
class Difference:
    """One command at one place of a run, or one line of how a node stood after it."""

    where: str
    what: str
    rehearsal: str
    lab: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: rehearsal {self.rehearsal}, lab {self.lab}"


def differences(rehearsal: Tape, lab: Tape) -> list[Difference]:
    """What was asked on both and answered otherwise; and how the nodes stood otherwise, stage by stage."""
    mine, real = _last(rehearsal), _last(lab)
    found = [one for key in mine.keys() & real.keys() for one in compared(" ".join(key), mine[key], real[key])]
    states, theirs = (
        {(node, stage): state for node, stage, state in tape.states if state} for tape in (rehearsal, lab)
    )
    for place in states.keys() | theirs.keys():
        here, there = states.get(place), theirs.get(place)
        where = " ".join(place)
        if here is None or there is None:
            found.append(Difference(where, "stage", str(here is not None), str(there is not None)))
            continue
        for name in here.keys() | there.keys():
            if here.get(name) != there.get(name):
                found.append(Difference(where, name, str(here.get(name)), str(there.get(name))))
    return sorted(found, key=str)


def compared(where: str, mine: Heard, real: Heard) -> list[Difference]:
    """Exit code, the complaint's phrase, the answer's form: the same, or less in the rehearsal where LESS says so."""
    found = []
    if (mine.rc, mine.error) != (real.rc, real.error):
        found.append(Difference(where, "exit code", f"{mine.rc} {mine.error}", f"{real.rc} {real.error}"))
    if said(mine.stderr) != said(real.stderr):
        found.append(Difference(where, "stderr", repr(said(mine.stderr)), repr(said(real.stderr))))
    ours, theirs = answer(mine.argv, mine.stdout), answer(real.argv, real.stdout)
    more = theirs - ours and not mine.shape.startswith(tuple(LESS))
    if bool(ours) != bool(theirs) or ours - theirs or more:
        found.append(Difference(where, "stdout", f"{sorted(ours - theirs)[:6]}", f"{sorted(theirs - ours)[:6]}"))
    return found


def shared(one: Tape, other: Tape) -> int:
    """How many uses were on both."""
    return len(_last(one).keys() & _last(other).keys())


def only(one: Tape, other: Tape) -> list[str]:
    """What was asked here and never there."""
    return sorted(" ".join(key) for key in _last(one).keys() - _last(other).keys())


def _last(tape: Tape) -> dict[tuple[str, str, str], Heard]:
    return {heard.use: heard for heard in tape.heard}


def main() -> int:
    """Differences, then what was asked on one only: ids, and the conditions that the runs met."""
    rehearsal, lab = (Tape.load(Path(name)) for name in sys.argv[1:3])
    lines = [str(one) for one in differences(rehearsal, lab)]
    lines += [f"only in the rehearsal: {one}" for one in only(rehearsal, lab)]
    lines += [f"only on the lab: {one}" for one in only(lab, rehearsal)]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
