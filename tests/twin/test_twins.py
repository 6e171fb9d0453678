"""Every command of the list on a simulated node and on a real one: the same answers, the same state afterwards.

One lab: first what fails on a node with Docker, then plan, a migration that fails and is undone, a migration, what
fails on a node with containerd, and at the end what none of these does well. CRI_SWITCH_TWIN_LAB=NAME takes a fresh lab
that stands already.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.node_ref import NodeRef
from cri_switch.model.settings_file import load_migration
from cri_switch.node.ssh import SshConnection
from tests.e2e.network import entered
from tests.e2e.site import Site
from tests.lab import network, state, teardown
from tests.lab.up import Wish, up
from tests.twin.compare import differences, shared
from tests.twin.failing import Variant, variants_of
from tests.twin.like import AWAY, FAULT, NODE, PLANE, RULE, RUNS, like_the_lab
from tests.twin.succeeding import CTR, ONLY_HERE, STAGE, try_succeeding
from tests.twin.tape import Tape
from tests.twin.tried import try_containerd, try_docker, try_refused

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(3600)]
_ARGUMENTS = {"plan": ("plan", "--diff"), "migrate": ("migrate", "--yes"), "rollback": ("rollback", NODE, "--yes")}


@dataclass(frozen=True)
class Twins:
    """What was heard on both."""

    commands: dict[str, Any]
    rehearsal: Tape
    lab: Tape


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    given = os.environ.get("CRI_SWITCH_TWIN_LAB")
    name = given or "twin"
    if not given:
        up(Wish(name, for_pid=os.getpid()))
    try:
        with entered(network.namespace(name)):
            yield Site(name)
    finally:
        if not given:
            with state.exclusive():
                teardown.down(state.load(name))


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    """The list."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.twin.listing"], capture_output=True, text=True, timeout=1200, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)["commands"]
    return found


@pytest.fixture(scope="module")
def twins(site: Site, commands: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Twins:
    variants, folder = variants_of(commands), tmp_path_factory.mktemp("twins")
    rehearsal, runs = like_the_lab(folder / "rehearsal", variants)
    assert runs.world.complaints == []
    lab = Tape()
    _try(site, lab, variants, before=True)
    for number, name in enumerate(RUNS):
        heard = _run(site, name, folder / f"{number}.json", folder)
        lab.heard += heard.heard
        lab.states += heard.states
    _try(site, lab, variants, before=False)
    place = Path(os.environ.get("CRI_SWITCH_TEST_OUTPUT", "build/test-output")).resolve()
    place.mkdir(parents=True, exist_ok=True)
    for name, tape in (("lab", lab), ("rehearsal", rehearsal)):
        tape.save(place / f"twin-{name}.json")  # `python -m tests.twin.compare` looks at them again
    return Twins(commands, rehearsal, lab)


def test_both_answer_alike_and_stand_alike_afterwards(twins: Twins) -> None:
    found = differences(twins.rehearsal, twins.lab)
    assert not found, "\n".join(str(one)[:400] for one in found)
    assert shared(twins.rehearsal, twins.lab) > 500, "too little was compared"


def test_nothing_was_asked_on_the_lab_that_is_not_in_the_list(twins: Twins) -> None:
    mine = {one.shape for one in twins.lab.heard if ": fails" not in one.stage}  # what is made to succeed too
    assert mine - set(twins.commands) == set()


def test_every_failing_variant_was_tried_on_both(twins: Twins) -> None:
    tried = [{one.use for one in tape.heard if ": fails" in one.stage} for tape in (twins.rehearsal, twins.lab)]
    assert tried[0] - tried[1] == set()
    assert len(tried[0]) > 100


def test_what_no_run_does_succeeded_on_both(twins: Twins) -> None:
    done = [
        {one.shape for one in tape.heard if one.stage.startswith(STAGE) and one.rc == 0}
        for tape in (twins.rehearsal, twins.lab)
    ]
    assert done[0] == done[1]
    assert {shape for shape in twins.commands if shape.startswith(ONLY_HERE)} - done[1] == set()


def _try(site: Site, tape: Tape, variants: list[Variant], *, before: bool) -> None:
    connection = _open(site, NODE)

    def hide(away: bool) -> None:
        site.root(NODE, "mv", *((RULE, AWAY) if away else (AWAY, RULE)))

    with tape.listening(SshConnection):
        if before:
            try_docker(connection, tape, variants)
            try_refused(connection, tape, variants, hide)
        else:
            try_containerd(connection, tape, variants)
            plane = _open(site, PLANE)
            try_succeeding(connection, plane, tape, time.sleep, lambda identity: _foreign(site, identity))
            plane.close()
    connection.close()
    if before:
        site.kubectl("wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=120s", timeout=130)


def _open(site: Site, name: str) -> SshConnection:
    settings = load_migration(site.directory / "migration.yaml")
    node = NodeRef(name=name, uid="", address=site.address(name), kubelet_version="v1.20.2")
    return SshConnection.open(node, settings.spec.ssh)


def _foreign(site: Site, identity: str) -> None:
    images = site.root(NODE, *CTR, "images", "ls", "-q").split()
    pause = next(name for name in images if "/pause:" in name)
    site.root(NODE, *CTR, "run", "-d", pause, identity)


def _run(site: Site, name: str, path: Path, folder: Path) -> Tape:
    verb = name.partition("#")[0].split()[0]
    fault = [":".join(FAULT)] if name == "migrate#1" else []
    words = [*_ARGUMENTS[verb], "-f", str(site.directory / "migration.yaml")]
    environment = os.environ | {"PREFECT_HOME": str(folder / "prefect"), "XDG_STATE_HOME": str(folder / "state")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.twin.runner", str(path), name, *fault, "--", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    expected = {"plan": 0, "migrate#1": 7, "migrate#2": 0}.get(name)
    assert expected is None or done.returncode == expected, done.stderr[-3000:]
    return Tape.load(path)
