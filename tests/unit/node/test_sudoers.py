"""Every program that the code runs as root is in deployments/sudoers, and nothing there is a way to type commands."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cri_switch.checks.machine import NEEDED_PROGRAMS

ROOT = Path(__file__).parents[3]
SUDOERS = ROOT / "deployments" / "sudoers"
PROGRAMS = re.findall(r"^ops ALL=\(root\) NOPASSWD: (?:SETENV: )?(\S+)$", SUDOERS.read_text(), re.M)
FORBIDDEN = re.compile(r"/(ba|da|z|k)?sh$|/(env|vi|vim|nano|ed|sed|awk|perl|python3?|tee|su|sudo|xargs|visudo)$")


def test_every_rule_is_a_full_path() -> None:
    rules = [line for line in SUDOERS.read_text().splitlines() if line.startswith("ops ")]
    assert len(rules) == len(PROGRAMS)
    assert all(program.startswith("/") for program in PROGRAMS)
    assert [p for p in PROGRAMS if "*" in p] == ["/opt/cni/bin/*", "/usr/lib/cni/*"]


def test_no_shell_and_no_editor() -> None:
    assert [program for program in PROGRAMS if FORBIDDEN.search(program)] == []


def test_only_two_kinds_of_program_get_variables() -> None:
    found = re.findall(r"SETENV: (\S+)$", SUDOERS.read_text(), re.M)
    assert found == ["/opt/cni/bin/*", "/usr/bin/deb-systemd-helper", "/bin/deb-systemd-helper", "/usr/lib/cni/*"]


def test_every_program_that_the_code_runs_as_root_is_there() -> None:
    allowed = {program.rpartition("/")[2] for program in PROGRAMS}
    source = "".join(path.read_text() for path in (ROOT / "cri_switch").rglob("*.py"))
    used = set(re.findall(r"\b(?:sudo|_long)\(\s*\"([a-z0-9.-]+)\"", source))
    assert {"systemctl", "apt-mark", "cat", "rm"} <= used
    assert used - allowed == set()


def test_every_program_there_is_named_by_the_code() -> None:
    """tests/twin/test_list.py compares with what is really run as root."""
    allowed = {program.rpartition("/")[2] for program in PROGRAMS} - {"*"}
    source = "".join(
        path.read_text() for part in ("node", "cluster") for path in (ROOT / "cri_switch" / part).rglob("*.py")
    )
    assert allowed - set(re.findall(r"\"([a-z0-9-]+)\"", source)) == set()


def test_the_preflight_asks_for_these_very_programs() -> None:
    names = {program if program.startswith("/opt/") else program.rpartition("/")[2] for program in PROGRAMS}
    assert set(NEEDED_PROGRAMS) == names - {"*"}


@pytest.mark.skipif(shutil.which("visudo") is None, reason="needs sudo")
def test_visudo_understands_it() -> None:
    subprocess.run(["visudo", "-cf", str(SUDOERS)], check=True, capture_output=True)
