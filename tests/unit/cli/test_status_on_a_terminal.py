"""`status` and `status -w` in a real pseudo-terminal of 80 columns, with NO_COLOR, and piped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.terminal import COLOUR, ESCAPE, on_terminal, plain

_CLEARED = "\x1b[H\x1b[2J"
_SETTINGS = """\
apiVersion: cri-switch/v1alpha1
kind: Migration
metadata: {name: prod}
spec: {cluster: {kubeconfig: k}, backup: {directory: /b}}
"""
_SCRIPT = """
import sys
from types import SimpleNamespace
import cri_switch.cli.commands.status as command
from cri_switch.cli.main import main
from cri_switch.model.errors import Unreachable
from cri_switch.model.standing import NodeStanding, Standing

def look(step, event, running, problem=""):
    node = NodeStanding(
        name="w1", role="worker", ready=True, kubelet_version="v1.20.2", runtime="docker://20.10.5+dfsg1",
        phase="migrating" if running else "migrated", attempt=1, step=step, event=event, at=0.0,
        cordon="cri-switch" if running else "", next="the run goes on" if running else "", problem=problem,
    )
    return Standing(
        migration="prod", migration_id="m-1", cluster_uid="c", target="containerd", running=running,
        holder="m-1/run-7" if running else "", since="02:00", renewed="02:01", nodes=(node,),
    )

looks = [
    look("drain", "started", True),
    look("drain", "started", True),
    Unreachable("\\x1b[2Jconnection refused"),
    look("settle", "done", True, "w1: no ssh \\x1b]0;owned\\x07"),
    look("settle", "done", False),
]

def ask(*_args, **_more):
    found = looks.pop(0)
    if isinstance(found, Exception):
        raise found
    return found

command.Cluster = SimpleNamespace(open=lambda _access: None)
command.standing = ask
command._EVERY = 0.0
main(["status", "-f", sys.argv[1], *sys.argv[2:]])
"""
HEAD = ["NODE", "STATUS", "ROLES", "KUBELET", "RUNTIME", "PHASE", "ATTEMPT", "STEP", "SINCE", "CORDONED-BY", "NEXT"]


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "prod.yaml").write_text(_SETTINGS)
    return [sys.executable, "-c", _SCRIPT, str(tmp_path / "prod.yaml")]


def piped(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=100)


def test_one_look_is_whole_on_80_columns(words: list[str]) -> None:
    """As kubectl's: neither cut nor wrapped, the terminal's own to break; the same when it is piped."""
    code, seen = on_terminal(words, columns=80)
    assert code == 0, seen
    lines = plain(seen)
    assert lines[0].split() == HEAD
    assert lines[1].split()[:5] == ["w1", "Ready,SchedulingDisabled", "worker", "v1.20.2", "docker://20.10.5+dfsg1"]
    assert lines[-2:] == ["Lease held by m-1/run-7 since 02:00, renewed 02:01.", "prod: 1 migrating."]
    assert ESCAPE.findall(seen) == []
    found = piped(words)
    assert found.returncode == 0
    assert [line for line in found.stdout.splitlines() if not line.startswith("w1")] == lines[:1] + lines[2:]
    assert found.stderr == ""


def test_watching_shows_the_newest_look_alone(words: list[str]) -> None:
    """An unchanged look is not shown again; an API that is away is said; nothing of a node is obeyed."""
    code, seen = on_terminal([*words, "-w"], columns=80)
    assert code == 0, seen
    first, second, last = seen.split(_CLEARED)
    assert "drain started" in first
    assert COLOUR.search(first), "that the API is away is a warning"
    assert r"the API does not answer: \x1b[2Jconnection refused" in first
    assert "settle done" in second
    assert r"w1: w1: no ssh \x1b]0;owned\x07" in second
    assert plain(last)[-2:] == ["No run.", "prod: 1 migrated."]
    assert "\x07" not in seen
    assert "\x1b]" not in seen


def test_no_color_is_honoured(words: list[str]) -> None:
    _code, seen = on_terminal([*words, "-w"], environment={"NO_COLOR": "1"})
    assert "the API does not answer" in seen
    assert not COLOUR.search(seen), seen


@pytest.mark.parametrize(
    ("output", "between"), [("table", "\n\nNODE "), ("yaml", "\n---\nmigration: "), ("json", "}\n{")]
)
def test_watching_piped_has_no_escape_and_talk_is_not_data(words: list[str], output: str, between: str) -> None:
    found = piped([*words, "-w", "-o", output])
    assert found.returncode == 0
    assert "\x1b" not in found.stdout + found.stderr
    assert found.stdout.count(between) == 2
    assert found.stderr == "the API does not answer: \\x1b[2Jconnection refused\n"
