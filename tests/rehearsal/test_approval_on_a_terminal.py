"""The question on a terminal, a real pseudo-terminal: yes goes on, anything else does not; who and when is reported."""

from __future__ import annotations

import getpass
import os
import pty
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from cri_switch.model.errors import NotApproved
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from tasks.report import markdown
from tests.rehearsal.engineless import Engineless


@contextmanager
def terminal(typed: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Standard input is a terminal on which somebody types; b"\\x04" is Ctrl-D."""
    master, slave = pty.openpty()
    with open(slave, encoding="utf-8") as keyboard:  # noqa: PTH123 (a descriptor)
        monkeypatch.setattr(sys, "stdin", keyboard)
        assert keyboard.isatty()
        os.write(master, typed)
        yield
    os.close(master)


@pytest.fixture
def runs(tmp_path: Path) -> Engineless:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=3, control_planes=1), clock)
    clock.passed = world.tick
    return Engineless(world, tmp_path)


def outcomes(runs: Engineless) -> dict[str, str]:
    nodes = runs.world.store.list("Node")
    return {n["metadata"]["name"]: n["status"]["nodeInfo"]["containerRuntimeVersion"].partition(":")[0] for n in nodes}


def test_yes_goes_on_and_the_report_says_who_and_when(
    runs: Engineless, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with terminal(b"yes\n YES \n", monkeypatch):
        report = runs.run(runs.migration(approval="both"))
    assert set(outcomes(runs).values()) == {"containerd"}
    assert [(each.point, each.by) for each in report.approvals] == [
        ("after_canary", getpass.getuser()),
        ("before_control_plane", getpass.getuser()),
    ]
    for each in report.approvals:
        assert datetime.fromisoformat(each.at).tzinfo is not None
        assert f"{each.point}: {getpass.getuser()}, {each.at}" in markdown(report)
    asked = capsys.readouterr().err
    assert "after_canary: go on? Type yes:" in asked
    assert "| w1 | worker | migrated," in asked


@pytest.mark.parametrize("typed", [b"no\n", b"\n", b"y\n", b"yes please\n", b"\x04"])
def test_anything_else_starts_no_further_node(runs: Engineless, monkeypatch: pytest.MonkeyPatch, typed: bytes) -> None:
    with terminal(typed, monkeypatch), pytest.raises(NotApproved, match="did not say yes"):
        runs.run(runs.migration(approval="both"))
    assert outcomes(runs) == {"cp1": "docker", "w1": "containerd", "w2": "docker"}


def test_without_a_terminal_nothing_is_touched(runs: Engineless, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(NotApproved, match="neither a terminal nor a deployment"):
            runs.run(runs.migration(approval="after_canary"))
    assert set(outcomes(runs).values()) == {"docker"}
