from __future__ import annotations

from collections.abc import Iterator

import pytest

from cri_switch.model.errors import RemoteCommandFailed, RemoteTimeout
from cri_switch.node.action import Action, Performed, perform
from cri_switch.node.command import Command, Result
from cri_switch.node.fake import ScriptedConnection
from cri_switch.node.job import job, unit_name
from tests.unit.node.helpers import unit_text

UNIT = unit_name("m-1-install", ("apt-get", "install"))
NONE = unit_text(UNIT, "inactive", "dead", "not-found")
RUNS = unit_text(UNIT)
DONE = unit_text(UNIT, "active", "exited")
BROKE = unit_text(UNIT, "failed", "failed", ExecMainStatus="100", Result="exit-code")


def run(states: list[str], *, dry_run: bool = False, seconds: float = 5) -> tuple[list[str], Performed]:
    left: Iterator[str] = iter(states)

    def show(_command: Command) -> Result:
        return Result(0, next(left))

    node = ScriptedConnection(
        "n", {"systemctl show": show, "systemd-run": "", "journalctl": "E: no\n", "systemctl": ""}
    )

    def action() -> Action:
        yield from job("m-1-install", ("apt-get", "install"), seconds=seconds, why="install", env=(("A", "b"),))
        return "done"

    try:
        done = perform(node, action(), dry_run=dry_run, sleep=lambda _s: None)
    finally:
        run.ran = node.lines  # type: ignore[attr-defined]
    return [text for text in node.lines if "systemctl show" not in text], done


def test_it_is_started_awaited_and_forgotten() -> None:
    lines, _ = run([NONE, RUNS, RUNS, DONE])
    assert lines == [
        f"systemd-run --unit={UNIT} --description=cri-switch --remain-after-exit --setenv=LC_ALL=C --setenv=A=b"
        " -- apt-get install",
        f"systemctl stop {UNIT}",
    ]


def test_one_that_runs_already_is_awaited_not_started_twice() -> None:
    assert run([RUNS, RUNS, DONE])[0] == [f"systemctl stop {UNIT}"]


def test_one_that_ended_while_nobody_looked_is_done() -> None:
    assert run([DONE, DONE])[0] == [f"systemctl stop {UNIT}"]


def test_one_that_failed_before_is_started_anew() -> None:
    lines, _ = run([BROKE, RUNS, DONE])
    assert lines[0].split()[0:2] == ["systemctl", "reset-failed"]
    assert any(line.startswith("systemd-run") for line in lines)


def test_a_failure_carries_the_log_and_is_reset() -> None:
    with pytest.raises(RemoteCommandFailed, match=r"ended with 100.*E: no") as caught:
        run([NONE, BROKE])
    assert caught.value.rc == 100
    assert UNIT in caught.value.next_step
    assert run.ran[-1] == f"systemctl reset-failed {UNIT}"  # type: ignore[attr-defined]


def test_past_the_deadline_it_is_left_alone() -> None:
    with pytest.raises(RemoteTimeout):
        run([NONE, *[RUNS] * 1000], seconds=0.001)
    assert not any("stop" in line for line in run.ran)  # type: ignore[attr-defined]


def test_a_dry_run_starts_nothing() -> None:
    lines, done = run([NONE], dry_run=True)
    assert lines == []
    assert done.changed == 1


def test_another_command_has_another_unit() -> None:
    assert unit_name("m-1-save", ("a", "b c")) != unit_name("m-1-save", ("a", "b", "c"))
    assert UNIT.startswith("cri-switch-m-1-install-")
