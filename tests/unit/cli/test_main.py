"""The command line: exit codes, what goes to stdout and what to stderr."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cri_switch.cli.main import run


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        ([], 0, ""),
        (["--help"], 0, ""),
        (["plan"], 2, "--file"),
        (["plan", "-f"], 2, "-f requires an argument"),
        (["nosuch"], 2, 'Unknown command "nosuch"'),
        (["plan", "-f", "x", "--bogus"], 2, "--bogus"),
        (["migrate", "-f", "x", "-o", "toml"], 2, "toml"),
        (["migrate", "-f", "/nosuch", "--yes"], 3, "/nosuch: No such file"),
        (["deploy", "-f", "/nosuch"], 3, "nothing was touched"),
        (["preflight"], 2, "next: cri-switch preflight --help"),
        (["nosuch", "plan"], 2, "next: cri-switch --help"),
        (["migrate", "--plan", "x", "--limit", "w1"], 2, "next: leave them out, or plan anew with them"),
        (["migrate", "--yes"], 2, "next: "),
        (["preflight", "-f", "/nosuch", "--ignore-preflight-errors=all"], 3, "nothing was touched"),
    ],
)
def test_exit_codes(argv: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == code
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in err
    assert bool(out) == (code == 0)
    if code:
        assert [line.partition(":")[0] for line in err.splitlines()] == ["error", "state", "next"]
        assert "state: nothing was touched" in err


def test_the_version_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version"]) == 0
    out, err = capsys.readouterr()
    assert out.count(".") == 2
    assert err == ""


def test_debug_shows_where_it_came_from(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("spec: {}")
    assert run(["plan", "-f", str(tmp_path / "m.yaml"), "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err


_SECOND = """
import os, signal, sys
from cri_switch.cli import talk
from cri_switch.cli.main import main

class Late:
    def __del__(self, kill=os.kill, me=os.getpid(), number=signal.Signals(int(sys.argv[1]))):
        kill(me, number)  # when the interpreter takes its own handlers away

def complain(problem):
    if sys.argv[2] == "told":
        os.kill(os.getpid(), signal.SIGINT)

late, talk.complain = Late(), complain
main(["plan", "-f", "/nosuch"])
"""


@pytest.mark.parametrize(("number", "where", "code"), [(2, "", 3), (15, "", 3), (2, "told", 130)])
def test_a_signal_at_the_very_end_leaves_the_exit_code(number: int, where: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SECOND, str(number), where], check=False, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (code, "")
