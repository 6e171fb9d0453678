"""The command in a real pseudo-terminal: width, colours, NO_COLOR, the live table, questions; and the same piped."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cri_switch.cli import talk
from cri_switch.cli.manual import MANUAL
from tests.support.terminal import COLOUR, ESCAPE, on_terminal, plain

PROGRAM = [sys.executable, "-m", "cri_switch.cli"]
LIVE = """
import logging, sys, time
from cri_switch.cli.progress import progress
log = logging.getLogger("prefect.task_runs")
log.setLevel(logging.INFO)
with progress("prod", lambda: {"w1": "drain", "w2": "cordon not begun"}):
    log.info("node=w1 step=cordon 0.2s cordoned")
    log.info("node=w2 step=drain failed: a budget allows no disruption")
    time.sleep(1.2)
print("the report")
"""
ASK = """
from tasks.approval import _typed
print("said", _typed("after_canary", "w1 is done.").approved)
"""
EVIL = r"w1 [bold]label[/bold] \x1b[2J\x1b]0;owned\x07\u202e"
OBEYED = re.compile("\x1b(?!\\[[0-9;]*m)|\x07|\u202e")
"""What a terminal obeys, colours apart."""
EVIL_QUESTION = f"""
from tasks.approval import _typed
_typed("after_canary", "{EVIL}")
"""
EVIL_LOG = f"""
from cri_switch.cli.engine import escape, prepare
prepare()
from prefect import flow
from prefect.logging import get_logger
escape()
get_logger("steps").warning("{EVIL}")
try:
    raise ValueError("{EVIL}")
except ValueError:
    get_logger("steps").exception("failed")
"""
EVIL_ERROR = f"""
import cri_switch.cli.commands.version as command
from cri_switch.cli.main import main
from cri_switch.model.errors import NotProven
def version(**_more):
    raise NotProven("{EVIL}", state="{EVIL}", next_step="{EVIL}")
command.version = version
main(["version"])
"""
EVIL_PROGRESS = f"""
import logging, time
from cri_switch.cli.progress import progress
log = logging.getLogger("prefect.task_runs")
log.setLevel(logging.INFO)
with progress("prod", lambda: {{}}):
    log.info("node=w1 step=cordon 0.2s {EVIL}")
    log.warning("{EVIL}")
    time.sleep(1)
"""


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize("words", [["--help"], ["plan", "--help"], ["init", "--help"]])
def test_help_fits_the_terminal(words: list[str], columns: int) -> None:
    code, seen = on_terminal([*PROGRAM, *words], columns=columns)
    assert code == 0
    assert max(map(len, plain(seen))) <= columns, seen
    assert COLOUR.search(seen)
    if words == ["--help"]:
        assert all(any(f"│ {name} " in line for line in plain(seen)) for name in MANUAL)


@pytest.mark.parametrize("words", [["--help"], ["plan", "-f", "/nosuch"]])
def test_no_color_is_honoured(words: list[str]) -> None:
    _code, seen = on_terminal([*PROGRAM, *words], environment={"NO_COLOR": "1"})
    assert seen
    assert not COLOUR.search(seen), seen


@pytest.mark.parametrize(
    ("words", "code"), [(["--help"], 0), (["version"], 0), (["plan", "-f", "/nosuch"], 3), (["nosuch"], 2)]
)
def test_piped_there_is_no_escape_and_talk_is_not_data(words: list[str], code: int) -> None:
    done = subprocess.run([*PROGRAM, *words], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == code
    assert "\x1b" not in done.stdout + done.stderr
    assert bool(done.stdout) == (code == 0)
    assert bool(done.stderr) == (code != 0)


def test_an_error_on_a_terminal_is_red_and_has_no_traceback() -> None:
    code, seen = on_terminal([*PROGRAM, "plan", "-f", "/nosuch"])
    assert code == 3
    assert "\x1b[31merror: cannot read the settings file /nosuch" in seen
    words = [line.partition(":")[0] for line in plain(seen)]
    assert words == ["error", "state", "next"]


def test_the_live_table_is_drawn_and_taken_away() -> None:
    code, seen = on_terminal([sys.executable, "-c", LIVE])
    assert code == 0
    drawn = plain(seen)
    assert max(map(len, drawn)) <= 80
    assert any("migrate-cluster prod" in line for line in drawn)
    assert any(line.startswith("│ w1") and "drain" in line and "█····" in line for line in drawn)
    assert any(line.startswith("│ w2") and "failed" in line for line in drawn)
    assert "\x1b[2K" in seen  # its lines are wiped before what comes next
    assert [line for line in drawn if line][-1] == "the report"


def test_piped_the_table_is_plain_lines() -> None:
    done = subprocess.run([sys.executable, "-c", LIVE], capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout == "the report\n"
    lines = [line.split(" s  ", 1)[1] for line in done.stderr.splitlines()]
    assert lines == [
        "w1    cordon               0.2 s  cordoned",
        "w2    drain              failed: a budget allows no disruption",
    ]


@pytest.mark.parametrize(("answer", "yes"), [("yes", True), ("y", False)])
def test_a_question_takes_only_a_whole_yes(answer: str, yes: bool) -> None:
    code, seen = on_terminal([sys.executable, "-c", ASK], answers={"after_canary: go on? Type yes: ": answer})
    assert code == 0
    assert plain(seen)[-1] == f"said {yes}"


@pytest.mark.parametrize(
    ("script", "answers"),
    [
        (EVIL_QUESTION, {"after_canary: go on? Type yes: ": "no"}),
        (EVIL_LOG, {}),
        (EVIL_ERROR, {}),
    ],
    ids=["question", "log", "error"],
)
def test_nothing_of_the_cluster_is_obeyed(script: str, answers: dict[str, str], tmp_path: Path) -> None:
    """Control characters are shown as what they are, and markup is text."""
    here = {"HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path)}
    _code, seen = on_terminal([sys.executable, "-c", script], answers=answers, environment=here)
    assert r"w1 [bold]label[/bold] \x1b[2J\x1b]0;owned\x07\u202e" in ESCAPE.sub("", seen)
    assert OBEYED.findall(seen) == []


def test_the_live_table_obeys_nothing_of_the_cluster() -> None:
    _code, seen = on_terminal([sys.executable, "-c", EVIL_PROGRESS], columns=120)
    assert r"w1 [bold]label[/bold] \x1b[2J\x1b]0;owned\x07\u202e" in ESCAPE.sub("", seen)
    assert not re.search("\x1b\\]|\x07|\u202e|\x1b\\[2J", seen)


@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_data_and_tracebacks_are_not_obeyed_either(output: talk.Output, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "label \x1b[2J \u202e"
    talk.show({"name": evil}, evil, output)
    try:
        int(evil)
    except ValueError as problem:
        problem.add_note(evil)
        talk.traceback()
    out, err = capsys.readouterr()
    assert OBEYED.findall(out + err) == []
    assert "label " in out
    if output == "yaml":
        assert yaml.safe_load(out) == {"name": evil}
