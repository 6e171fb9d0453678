from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

from cri_switch.model.errors import SudoRefused, Unreachable
from cri_switch.node.command import Command, Result
from cri_switch.node.fake import ScriptedConnection
from cri_switch.node.follow import Follower

CURSOR = "-- cursor: s=1;i=2\n"


def containers(state: str) -> str:
    return json.dumps(
        {
            "containers": [
                {
                    "id": "c",
                    "metadata": {"name": "etcd", "attempt": 1},
                    "state": state,
                    "podSandboxId": "s",
                    "labels": {},
                }
            ]
        }
    )


def followed(
    journal: Callable[[Command], Result], crictl: Callable[[Command], Result], until: str
) -> tuple[list[str], Follower]:
    said: list[str] = []
    seen = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        if until in line:
            seen.set()

    connection = ScriptedConnection("cp1", {"journalctl": journal, "crictl": crictl})
    follower = Follower(connection, say, every=0.01, keep=5)
    with follower:
        assert seen.wait(5), said
    return said, follower


def test_only_what_is_new_is_said_by_the_journals_cursor() -> None:
    asked: list[str] = []

    def journal(command: Command) -> Result:
        asked.append(str(command))
        if "--after-cursor" not in asked[-1]:
            return Result(0, f"an old line\n{CURSOR}")
        return Result(0, f"Nov 23 kubelet: {len(asked)}\n-- cursor: s=1;i={len(asked)}\n")

    said, follower = followed(journal, lambda _c: Result(0, containers("CONTAINER_RUNNING")), "kubelet: 9")
    assert "an old line" not in said
    assert "s=1;i=2" in asked[1]
    assert "s=1;i=3" in asked[3]
    assert said.count("crictl ps: etcd of / (attempt 1) is running") == 1
    assert len(follower.last()) == 5


def test_a_lost_connection_is_said_once_and_it_goes_on() -> None:
    answers = iter([Unreachable("cp1: no route"), Unreachable("cp1: no route"), Unreachable("cp1: still none")])

    def journal(_command: Command) -> Result:
        problem = next(answers, None)
        if problem:
            raise problem
        return Result(0, CURSOR)

    quiet = Result(0, '{"containers": []}')

    def crictl(_command: Command) -> Result:
        return quiet

    said, _follower = followed(journal, crictl, "following again")
    assert said[0] == "following stopped for now: cp1: no route"


def test_what_is_refused_is_said_once_and_not_asked_again() -> None:
    asked: list[int] = []

    def crictl(_command: Command) -> Result:
        asked.append(1)
        raise SudoRefused("cp1: sudo refuses crictl")

    counter = iter(range(100))
    _said, _follower = followed(lambda _c: Result(0, f"line {next(counter)}\n{CURSOR}"), crictl, "line 5")
    assert len(asked) == 1


def test_stop_ends_it_at_once_and_a_stopped_one_may_be_stopped_again() -> None:
    connection = ScriptedConnection("cp1", {"journalctl": CURSOR, "crictl": '{"containers": []}'})
    follower = Follower(connection, lambda _line: None, every=60)
    follower.start()
    started = time.monotonic()
    follower.stop()
    follower.stop()
    assert time.monotonic() - started < 30
