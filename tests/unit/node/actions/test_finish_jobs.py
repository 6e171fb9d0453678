from __future__ import annotations

from collections.abc import Callable

import pytest

from cri_switch.model.errors import RemoteTimeout
from cri_switch.model.migration import Migration
from cri_switch.node.action import perform
from cri_switch.node.actions.finish_jobs import JOBS, finish_jobs
from cri_switch.node.command import Command, Result
from cri_switch.node.fake import ScriptedConnection
from tests.unit.node.helpers import unit_text

ONE, TWO = "cri-switch-m-1-install-0a.service", "cri-switch-m-1-images-save-0b.service"
LISTED = f"  {ONE} loaded active running cri-switch\n● {TWO} loaded failed failed cri-switch\n"
MIGRATION = Migration.model_validate(
    {
        "metadata": {"name": "m"},
        "spec": {
            "cluster": {"kubeconfig": "k"},
            "backup": {"directory": "b"},
            "timeouts": {"packages": 1, "images": 1},
        },
    }
)


def node(listed: str, shows: Callable[[Command], Result]) -> ScriptedConnection:
    return ScriptedConnection("w1", {"systemctl list-units": listed, "systemctl show": shows, "systemctl": ""})


def changes(connection: ScriptedConnection) -> list[str]:
    return [line for line in connection.lines if "list-units" not in line and " show " not in line]


def test_what_runs_is_awaited_and_all_are_forgotten() -> None:
    left = iter([("active", "running"), ("active", "running"), ("active", "exited")])

    def shows(_command: Command) -> Result:
        return Result(0, unit_text(ONE, *next(left)) + "\n" + unit_text(TWO, "failed", "failed"))

    connection = node(LISTED, shows)
    perform(connection, finish_jobs(MIGRATION), sleep=lambda _seconds: None)
    assert changes(connection) == [f"systemctl stop {ONE}", f"systemctl reset-failed {TWO}"]


def test_one_that_does_not_end_is_left_alone() -> None:
    connection = node(f"{ONE} loaded active running x\n", lambda _c: Result(0, unit_text(ONE, "active", "running")))
    with pytest.raises(RemoteTimeout, match="an earlier run left at work"):
        perform(connection, finish_jobs(MIGRATION))
    assert changes(connection) == []


def test_nothing_of_ours_is_no_question_more() -> None:
    connection = node("", lambda _c: Result(0, ""))
    perform(connection, finish_jobs(MIGRATION))
    assert len(connection.lines) == 1


def test_a_dry_run_waits_for_nothing() -> None:
    connection = node(LISTED, lambda _c: Result(0, unit_text(ONE, "active", "running")))
    assert perform(connection, finish_jobs(MIGRATION), dry_run=True).changed == 0


def test_only_jobs_are_read() -> None:
    assert JOBS.parse(Result(0, LISTED + "other cri-switch-x.service loaded\n")) == (ONE, TWO)
