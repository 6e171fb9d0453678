from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cri_switch.model.errors import NotProven, RemoteCommandFailed
from cri_switch.node.action import Action, perform
from cri_switch.node.command import Command, Result
from cri_switch.node.fake import Answer, ScriptedConnection
from cri_switch.node.journal import Entry, append, journal_fact, next_attempt, parse_entries
from cri_switch.node.originals import keep_original

ENTRY = Entry(1.0, "run", 1, "drain", "done", "ok", "boot1")


_MISSING = Result(1, "", "dd: failed to open '/var/lib/cri-switch/m/journal.jsonl': No such file or directory")
_FULL = Result(1, "", "dd: error writing '/var/lib/cri-switch/m/journal.jsonl': No space left on device")


def line(entry: Entry) -> str:
    return json.dumps(entry.__dict__)


def test_a_torn_line_is_passed_over() -> None:
    assert parse_entries(f"\n{line(ENTRY)}\n\n{line(ENTRY)[:20]}\n\n{line(ENTRY)}\n") == [ENTRY, ENTRY]


@given(st.text())
def test_any_text_is_parsed(text: str) -> None:
    assert all(isinstance(entry, Entry) for entry in parse_entries(text))


def test_no_journal_has_no_entries() -> None:
    assert journal_fact("m").read(ScriptedConnection("n", {"cat": Result(1, "", "No such file")})) == []


def test_the_first_entry_makes_the_file_private_and_later_ones_only_append() -> None:
    answers = iter([_MISSING, Result(0, ""), Result(0, "")])
    node = ScriptedConnection("n", {"dd ": lambda _c: next(answers), "install": "", "stat": ""})
    append(node, "m", ENTRY)
    assert [command.argv[0] for command in node.ran] == ["dd", "stat", "install", "install", "dd"]
    assert "install -d -m 0700 -- /var/lib/cri-switch /var/lib/cri-switch/m" in node.lines
    assert "install -m 0600 -- /dev/null /var/lib/cri-switch/m/journal.jsonl" in node.lines
    append(node, "m", ENTRY)
    assert len(node.ran) == 6
    assert parse_entries((node.ran[-1].stdin or b"").decode()) == [ENTRY]
    assert {"oflag=append,nofollow", "conv=notrunc,nocreat,fsync"} <= set(node.ran[-1].argv)


def test_a_full_disk_does_not_make_the_journal_anew() -> None:
    node = ScriptedConnection("n", {"dd ": _FULL, "install": ""})
    with pytest.raises(RemoteCommandFailed, match="No space left"):
        append(node, "m", ENTRY)
    assert not [text for text in node.lines if "install" in text]


def test_a_full_disk_does_not_make_the_list_of_originals_anew() -> None:
    answers: dict[str | re.Pattern[str], Answer] = {
        "cat -- /var/lib/cri-switch/m/originals.jsonl": "",
        "sha256sum -- /etc/none": Result(1, "", "sha256sum: /etc/none: No such file or directory"),
        "install": "",
        "dd ": _FULL,
    }
    node = ScriptedConnection("n", answers)
    with pytest.raises(RemoteCommandFailed, match="No space left"):
        _keep(node, "/etc/none")
    assert not [text for text in node.lines if "install" in text]


@pytest.mark.parametrize("program", ["cat", "sha256sum"])
def test_a_file_that_cannot_be_read_is_not_taken_for_none(program: str) -> None:
    answers: dict[str | re.Pattern[str], Answer] = {
        "cat": "",
        "sha256sum": "",
        "install": "",
        "dd ": "",
        program: Result(1, "", f"{program}: /etc/a: Input/output error"),
    }
    with pytest.raises(NotProven, match="Input/output error"):
        _keep(ScriptedConnection("n", answers), "/etc/a")


@pytest.mark.parametrize(
    ("entries", "boot", "true", "number"),
    [
        ([], "boot1", True, 1),
        ([], "boot1", False, 1),
        ([ENTRY], "boot1", True, 1),
        ([ENTRY], "boot2", True, 2),
        ([ENTRY], "boot1", False, 2),
        ([ENTRY, Entry(2, "r", 1, "rollback", "done", "", "boot1")], "boot1", True, 2),
        ([ENTRY, Entry(2, "r", 1, "rollback", "done"), Entry(3, "r", 2, "drain", "done", "", "b2")], "b2", True, 2),
        ([Entry(1, "r", 1, "drain", "done")], "boot9", True, 1),
    ],
)
def test_next_attempt(entries: list[Entry], boot: str, true: bool, number: int) -> None:
    assert next_attempt(entries, boot, effects_true=true) == number


def _keep(node: ScriptedConnection, path: str) -> int:
    def action() -> Action:
        yield from keep_original("m", path)
        return "kept"

    return perform(node, action()).changed


def test_an_original_is_kept_once_and_noted_after_the_copy() -> None:
    noted = b""

    def dd(command: Command) -> Result:
        nonlocal noted
        noted += command.stdin or b""
        return Result(0, "")

    answers: dict[str | re.Pattern[str], Answer] = {
        "cat -- /var/lib/cri-switch/m/originals.jsonl": lambda _c: Result(0, noted.decode()),
        "sha256sum -- /etc/a": "\\abc  /etc/a\n",
        "sha256sum -- /etc/none": Result(1, "", "No such file"),
        "cp -aT --remove-destination -- /etc/a /var/lib/cri-switch/m/originals/etc/a": "",
        "install": "",
        "dd ": dd,
    }
    node = ScriptedConnection("n", answers)
    assert _keep(node, "/etc/a") == 3
    assert [command.argv[0] for command in node.ran] == ["cat", "sha256sum", "install", "cp", "dd"]
    assert _keep(node, "/etc/a") == 0
    assert _keep(node, "/etc/none") == 1
    assert json.loads(noted.decode().splitlines()[-1]) == {"path": "/etc/none", "existed": False, "sha256": ""}
