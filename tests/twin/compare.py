"""The two tapes side by side: what the simulated nodes answered, and what the real ones did.

`python -m tests.twin.compare LAB.json`: a lab's tape, once taken, beside what the rehearsal says now.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.twin.shape import answer, said
from tests.twin.tape import Heard, Tape


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
    """What was asked on both and answered otherwise; and how the nodes stood otherwise."""
    mine, real = _last(rehearsal), _last(lab)
    found = [one for key in mine.keys() & real.keys() for one in compared(" ".join(key), mine[key], real[key])]
    states = {(node, stage): state for node, stage, state in lab.states}
    for node, stage, state in rehearsal.states:
        there = states.get((node, stage), {})
        for name in sorted(state.keys() & there.keys()):
            if state[name] != there[name]:
                found.append(Difference(f"{node} {stage}", name, state[name], there[name]))
    return sorted(found, key=str)


def compared(where: str, mine: Heard, real: Heard) -> list[Difference]:
    """Exit code, the complaint's phrase, the answer's form: what the rehearsal's has, the real one's has too."""
    found = []
    if (mine.rc, mine.error) != (real.rc, real.error):
        found.append(Difference(where, "exit code", f"{mine.rc} {mine.error}", f"{real.rc} {real.error}"))
    if said(mine.stderr) != said(real.stderr):
        found.append(Difference(where, "stderr", repr(said(mine.stderr)), repr(said(real.stderr))))
    ours, theirs = answer(mine.argv, mine.stdout), answer(real.argv, real.stdout)
    if bool(ours) != bool(theirs) or ours - theirs:
        found.append(Difference(where, "stdout", f"{sorted(ours - theirs)[:6]}", f"{sorted(theirs - ours)[:6]}"))
    return found


def only(one: Tape, other: Tape) -> list[str]:
    """What was asked here and never there."""
    return sorted(" ".join(key) for key in _last(one).keys() - _last(other).keys())


def _last(tape: Tape) -> dict[tuple[str, str, str], Heard]:
    return {heard.use: heard for heard in tape.heard}
