"""The list of commands is whole, each of them fails in some way, and the rehearsal knows them all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cri_switch.checks.machine import NEEDED_PROGRAMS
from cri_switch.rehearsal.changes import changes
from tests.twin.changing import changing
from tests.twin.failing import EXITS_ZERO, NO_FAILURE, name, variants_of
from tests.twin.like import failed_on_a_rehearsal_node

pytestmark = pytest.mark.timeout(1200)
ONLY_BY_SSH = "cri_switch/node/ssh.py"
"""The ssh connection's own question, whether a program that sudo refuses is there at all."""

ONLY_WITH_IPV6 = {"ip6tables"}
"""Docker made no rules for IPv6 on these nodes, so there are none to take away."""


@pytest.fixture(scope="module")
def listing() -> dict[str, Any]:
    """Generated, in a process of its own."""
    command = [sys.executable, "-m", "tests.twin.listing"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_place_that_makes_a_command_was_reached(listing: dict[str, Any]) -> None:
    assert [place for place in listing["missed"] if not place.startswith(ONLY_BY_SSH)] == []


def test_the_rehearsal_knows_every_command(listing: dict[str, Any]) -> None:
    assert listing["complaints"] == []


def test_every_command_fails_in_some_way(listing: dict[str, Any]) -> None:
    commands = listing["commands"]
    tame = {shape for shape, each in commands.items() if not variants_of({shape: each})}
    assert tame == set(NO_FAILURE)


def test_a_failing_variant_exits_with_a_failure_or_it_is_known_why_not(listing: dict[str, Any], tmp_path: Path) -> None:
    variants = variants_of(listing["commands"])
    heard = failed_on_a_rehearsal_node(variants, tmp_path)
    assert len(heard) == len({(name(one.command), one.state) for one in variants})
    assert {one.shape for one in heard if one.rc == 0} == set(EXITS_ZERO)


def test_what_is_run_as_root_is_what_the_sudo_rule_allows(listing: dict[str, Any]) -> None:
    ran = {shape.split()[1] for shape in listing["commands"] if shape.startswith("sudo ")} - {"-n"}
    allowed = {"CNI-PLUGIN" if name.endswith("*") else name for name in NEEDED_PROGRAMS}
    assert ran | ONLY_WITH_IPV6 == allowed


def test_the_invariants_see_every_command_that_changes_a_node(listing: dict[str, Any]) -> None:
    issued = [(shape, argv) for shape, each in listing["commands"].items() for argv in each["argv"]]
    judged = {" ".join(argv): changing(shape, argv) for shape, argv in issued}
    seen = {" ".join(argv): argv[0] != "sudo" and changes(tuple(argv)) for _, argv in issued}
    assert seen == judged
