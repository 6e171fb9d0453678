"""A run is killed at any word of a node's way back: the next run, or the typed command, ends it, and nothing is lost.

In memory, as tests/rehearsal/test_killed_anywhere.py. CRI_SWITCH_KILLS says how many kills are drawn (20).
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from cri_switch.model.errors import NodeFailed
from cri_switch.rehearsal.faults import FAULTS
from tasks.step import stands
from tests.rehearsal.drawing import drawing
from tests.rehearsal.engineless import go_on
from tests.rehearsal.killing import NODES, Between, Cluster, Kill, Killed, Life

DRAWN = int(os.environ.get("CRI_SWITCH_KILLS", "20"))
ETC = ("/etc", "/var/lib/kubelet/kubeadm-flags.env", "/var/lib/kubelet/config.yaml")
Outside = Callable[[str, Callable[[], Any]], Any]


def failing(directory: Path, node: str) -> Cluster:
    """A cluster on which that node's kubelet does not start on containerd."""
    cluster = Cluster(directory)
    hook = FAULTS["kubelet-fails"].begin(cluster.world, node)
    cluster.invariants.watch(node, hook)
    return cluster


def mended(cluster: Cluster, node: str) -> None:
    cluster.invariants.watch(node, lambda _argv: None)


def settings_of(cluster: Cluster, node: str) -> dict[str, tuple[bytes, int, str]]:
    """Content, mode and owner of all that a migration may edit."""
    files = cluster.world.machines[node].fs
    there = [(path, entry) for top in ETC for path, entry in files.walk(top) if entry.kind == "f"]
    return {path: (entry.content, entry.mode, entry.owner) for path, entry in there}


def runtime(cluster: Cluster, node: str) -> str:
    found = cluster.world.store.get("Node", node)
    assert found is not None
    return str(found["status"]["nodeInfo"]["containerRuntimeVersion"])


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Counter[tuple[str, str]]:
    """How many words the way back of each node has."""
    found = Counter[tuple[str, str]]()
    for node in NODES[1]:
        cluster, life = failing(tmp_path_factory.mktemp(node), node), Life()
        before = settings_of(cluster, node)
        with pytest.raises(NodeFailed, match="back on Docker"):
            cluster.run(life.outside, 0)
        assert settings_of(cluster, node) == before
        found[node, "rollback"] = life.spoken[node, "rollback"]
    assert min(found.values()) > 50, found
    return found


def killed(cluster: Cluster, kill: Kill, usual: Counter[tuple[str, str]]) -> None:
    with pytest.raises(Killed):
        cluster.run(Life(kill, usual).outside, 0)
    cluster.happens(kill.between, kill.node)


@st.composite
def kills(draw: st.DrawFn) -> Kill:
    """Half of them in the last words: the record moved aside, the cordon, the mark."""
    word = draw(st.one_of(st.integers(0, 999), st.integers(900, 999)))
    between: Between = draw(st.sampled_from(["nothing", "nothing", "a reboot", "no checkpoints", "an hour"]))
    return Kill(draw(st.sampled_from(NODES[1])), "rollback", word, draw(st.booleans()), between)


@pytest.mark.timeout(max(1200, 40 * DRAWN))
@drawing(DRAWN, same=DRAWN <= 40)
@given(kills(), st.booleans())
def test_what_was_begun_is_ended(usual: Counter[tuple[str, str]], kill: Kill, typed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cluster = failing(Path(folder), kill.node)
        before = settings_of(cluster, kill.node)
        killed(cluster, kill, usual)
        event(f"{kill.node}, {'typed' if typed else 'next run'}")
        if typed:
            cluster.runs.outside = go_on
            cluster.rollback(kill.node, 1)
            assert runtime(cluster, kill.node).startswith("docker://")
            assert settings_of(cluster, kill.node) == before
            assert cluster.invariants.finished() == []
        mended(cluster, kill.node)
        cluster.run(go_on, 2)
        assert cluster.left() == []


def edited(cluster: Cluster, node: str) -> dict[str, str]:
    """An administrator's edits of what a migration edits."""
    edits = {}
    for path in ("/etc/containerd/config.toml", "/var/lib/kubelet/kubeadm-flags.env"):
        files = cluster.world.machines[node].fs
        edits[path] = f"{files.text(path) or ''}# by an administrator\n"
        files.put(path, edits[path])
    return edits


def dies_at(cluster: Cluster, sign: str) -> Outside:
    """Killed before the first such word after the way back has started the kubelet."""
    seen: list[str] = []

    def outside(what: str, act: Callable[[], Any]) -> Any:
        if seen[:1] == ["dead"]:
            raise Killed
        if stands().get("w1", "").startswith("rollback"):
            if seen and sign in what:
                seen.insert(0, "dead")
                raise Killed
            if "systemctl start kubelet" in what:
                seen.append(what)
        return act()

    return outside


@pytest.mark.parametrize("sign", ["/nodes/w1", "before.json.attempt-1"])
@pytest.mark.parametrize("typed", [True, False])
def test_an_administrators_edit_after_the_files_are_back_is_kept(tmp_path: Path, sign: str, typed: bool) -> None:
    """The run died when all on the node was as before, and before it had said so: the originals are done with."""
    cluster = failing(tmp_path, "w1")
    with pytest.raises(Killed):
        cluster.run(dies_at(cluster, sign), 0)
    edits = edited(cluster, "w1")
    if typed:
        cluster.runs.outside = go_on
        cluster.rollback("w1", 1)
    else:
        with pytest.raises(NodeFailed, match="back on Docker"):
            cluster.run(go_on, 1)
    assert {path: cluster.world.machines["w1"].fs.text(path) for path in edits} == edits
