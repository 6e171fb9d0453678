"""plan and preflight in a real pseudo-terminal of 80 columns: whole, and no byte of a node's is obeyed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.terminal import ESCAPE, on_terminal, plain

_EVIL = r"\x1b[2J\x1b]0;owned\x07"
_SETTINGS = """\
apiVersion: cri-switch/v1alpha1
kind: Migration
metadata: {name: prod}
spec: {cluster: {kubeconfig: k}, backup: {directory: /b}}
"""
_BEGIN = f"""
import sys
from types import ModuleType
from cri_switch.cli.main import main
from cri_switch.model.finding import Finding, Findings
from cri_switch.model.plan import FileChange
from cri_switch.model.standing import NodeStanding, Standing
from tests.unit.cli.test_plan_text import planned
EVIL = "{_EVIL}"
FINDINGS = (Finding("error", "NotEnoughDisk", "c1: no room " + EVIL, node="c1", remedy="make room " * 12),)
"""
_PLAN = """
import cri_switch.cli.commands.plan as command
file = FileChange(path="/etc/default/kubelet", nodes=("w1",), before="A=1\\n", after="A=" + EVIL + "\\n")
command.planned = lambda *_args, **_more: planned(files=(file,), findings=FINDINGS)
main(["plan", "-f", sys.argv[1], "--diff"])
"""
_PREFLIGHT = """
import cri_switch.cli.commands.preflight as command
sys.modules["flows.preflight_cluster"] = flow = ModuleType("flows.preflight_cluster")
flow.preflight_cluster = None
command.prepare = lambda: None
command.run_flow = lambda *_args: Findings(findings=FINDINGS)
main(["preflight", "-f", sys.argv[1]])
"""


@pytest.mark.parametrize(
    ("script", "there"),
    [
        (_PLAN, ["NODE   ROLES ", "BATCH   NODES   NOTE", "+A=\\x1b[2J\\x1b]0;owned\\x07", "c1: no room \\x1b[2J"]),
        (_PREFLIGHT, ["[ERROR NotEnoughDisk]: c1: no room \\x1b[2J\\x1b]0;owned\\x07", "fix: make room make room"]),
    ],
    ids=["plan", "preflight"],
)
def test_a_page_is_whole_and_nothing_of_a_node_is_obeyed(script: str, there: list[str], tmp_path: Path) -> None:
    (tmp_path / "prod.yaml").write_text(_SETTINGS)
    words = [sys.executable, "-c", _BEGIN + script, str(tmp_path / "prod.yaml")]
    code, seen = on_terminal(words, columns=80)
    assert code == 3, seen
    assert all(any(text in line for line in plain(seen)) for text in there), seen
    assert not [found for found in ESCAPE.findall(seen) if not found.endswith("m")], "more than colours"
    assert "\x1b]" not in seen
    assert "\x07" not in seen
    piped = subprocess.run(words, capture_output=True, text=True, check=False, timeout=100)
    assert plain(seen) == [*piped.stdout.splitlines(), *piped.stderr.splitlines()], "neither cut nor wrapped"
    assert plain(seen)[-3].startswith("error: 1 error stands in the way: NotEnoughDisk")
