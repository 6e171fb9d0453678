"""What `--help` says: every command is there, has three examples that are accepted, and the pages are made of it."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import pytest

from cri_switch.cli.exit_codes import EXIT_CODES
from cri_switch.cli.main import app, run
from cri_switch.cli.manual import MANUAL
from cri_switch.cli.pages import help_text, pages
from cri_switch.model import errors
from cri_switch.model.migration import Drain

ROOT = Path(__file__).parents[3]
SHELL = re.compile(r"\s+(?:>|\||&&|2>|;)\s*.*")


@pytest.mark.parametrize("name", MANUAL)
def test_every_command_can_be_imported(name: str) -> None:
    module = importlib.import_module(f"cri_switch.cli.commands.{name}")
    assert callable(getattr(module, name))


def test_every_module_of_a_command_is_in_the_manual() -> None:
    there = {path.stem for path in (ROOT / "cri_switch/cli/commands").glob("*.py")} - {"__init__"}
    assert there == set(MANUAL)


@pytest.mark.parametrize("name", MANUAL)
def test_examples_are_accepted_and_lines_are_short(name: str) -> None:
    for _comment, words in MANUAL[name].examples:
        line = f"{name} {words}"
        assert len(f"  cri-switch {line}") <= 80  # a line that is broken cannot be copied
        app.parse_args(shlex.split(SHELL.sub("", line)), exit_on_error=False, print_error=False)


@pytest.mark.parametrize("name", MANUAL)
def test_help_shows_what_it_is_and_the_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    out, err = capsys.readouterr()
    assert MANUAL[name].summary.split()[0] in out
    assert all(f"# {comment}" in out for comment, _ in MANUAL[name].examples)
    assert err == ""


def test_the_exit_codes_are_those_of_the_errors() -> None:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.CriSwitchError)
    ]
    assert {kind.__name__: kind.exit_code for kind in kinds} == {
        "CriSwitchError": 1, "RemoteCommandFailed": 1, "FileChanged": 1,
        "UsageError": 2,
        "SettingsError": 3, "PreflightError": 3,
        "Unreachable": 4, "HostKeyRefused": 4, "LoginRefused": 4, "SudoRefused": 4, "ApiError": 4,
        "DrainBlocked": 5,
        "RemoteTimeout": 6, "NotProven": 6, "DiskFull": 6, "ControlPlaneNotWell": 6, "BackupFailed": 6, "Moved": 6,
        "GateClosed": 6,
        "NodeFailed": 7, "RollbackFailed": 7,
        "LockHeld": 8,
        "WindowClosed": 9,
        "NotApproved": 10,
        "Stopped": 130,
    }  # fmt: skip
    assert {kind.exit_code for kind in kinds} | {0} == set(EXIT_CODES)
    shown = help_text()
    readme = (ROOT / "README.md").read_text()
    for code, meaning in EXIT_CODES.items():
        assert f"{code:>3}  {meaning}" in shown
        assert f"\n| {code} |" in readme


def test_the_pages_are_made_of_it() -> None:
    directory = ROOT / "docs" / "commands"
    there = {path.name: path.read_text() for path in directory.glob("*.md")}
    assert there == pages(), "make docs"


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete "), ("zsh", "#compdef"), ("fish", "complete -c")])
def test_completion(shell: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    out, err = capsys.readouterr()
    assert word in out
    assert all(name in out for name in MANUAL)
    assert all(name.replace("_", "-") in out for name in Drain.model_fields)
    assert err == ""
