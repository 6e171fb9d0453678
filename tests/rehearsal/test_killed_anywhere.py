"""A run is killed at any word that it speaks with the outside, and started again: as if nothing had happened.

In memory, in virtual time, without the engine. From the kill on the dead process has no effect any more: no command,
no API call, no checkpoint. CRI_SWITCH_KILLS says how many kills are drawn (40).
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import event, given, note
from hypothesis import strategies as st

from cri_switch.model.steps import STEPS
from tests.rehearsal.drawing import drawing
from tests.rehearsal.engineless import go_on
from tests.rehearsal.killing import NODES, Cluster, Kill, Killed, Life, begun

DRAWN = int(os.environ.get("CRI_SWITCH_KILLS", "40"))

Usual = dict[tuple[int, bool], Counter[tuple[str, str]]]


def kills(nodes: Sequence[str]) -> st.SearchStrategy[Kill]:
    return st.builds(
        Kill,
        node=st.sampled_from(nodes),
        step=st.sampled_from(("stage", *STEPS, "remove_docker")),
        word=st.integers(0, 999),
        after=st.booleans(),
        between=st.sampled_from(["nothing", "nothing", "a reboot", "no checkpoints", "an hour"]),
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[Kill]]:
    """How many control planes, and who is killed; with three of them mostly these."""
    planes = draw(st.sampled_from([1, 3]))
    nodes = NODES[planes] if planes == 1 else NODES[planes][1:]
    return planes, draw(st.lists(kills(nodes), min_size=1, max_size=3 if planes == 1 else 1))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Usual:
    """What an undisturbed run says in each step, by control planes, with and without early installation."""
    said = {}
    for planes, early in itertools.product(NODES, (True, False)):
        cluster, life = Cluster(tmp_path_factory.mktemp("usual"), early, planes), Life()
        cluster.run(life.outside, 0)
        assert cluster.left() == []
        steps = ("stage", *STEPS, "remove_docker")
        assert {(node, step) for node in NODES[planes] for step in steps} == set(life.spoken)
        said[planes, early] = life.spoken
    return said


@pytest.mark.timeout(max(1200, 40 * DRAWN))
@drawing(DRAWN, same=DRAWN <= 40)
@given(histories(), st.booleans())
def test_the_next_run_goes_on_wherever_a_run_was_killed(
    usual: Usual, history: tuple[int, list[Kill]], early: bool
) -> None:
    planes, drawn = history
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder), early, planes)
        for number, kill in enumerate(drawn):
            life = Life(kill, usual[planes, early])
            try:
                cluster.run(life.outside, number)
            except Killed:
                note(f"killed in {kill.step} of {kill.node} {life.died_at}; then {kill.between}")
                event(f"killed in {kill.step}, {planes} control planes")
            else:
                event("not killed")
            cluster.happens(kill.between, kill.node)
        done = set(cluster.runs.checkpoints)
        before = {name: begun(cluster.journal(name)) for name in NODES[planes]}
        cluster.run(go_on, len(drawn))
        assert cluster.left() == []
        for name in NODES[planes]:
            again = begun(cluster.journal(name)) - before[name]
            uid = cluster.world.store.get("Node", name)["metadata"]["uid"]  # type: ignore[index]
            twice = [each for each in again if any(key.endswith(f".{uid}.{each[0]}.{each[1]}") for key in done)]
            assert twice == [], f"{name}: completed steps were begun again"
            entries = begun(cluster.journal(name))
            reasons = any(kill.between == "a reboot" for kill in drawn) or "rollback" in {step for _, step in entries}
            attempts = {attempt for attempt, _ in entries}
            assert reasons or attempts == {1}, f"{name}: attempts {attempts} without a reason"
