"""A saved plan is done only while the facts are those that it was made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cri_switch.cli.saved_plan import read_plan, refuse_other_settings, save_plan
from cri_switch.model.errors import Moved, SettingsError
from cri_switch.model.plan import Plan
from cri_switch.model.planned_run import PlannedRun, moved_files, moved_nodes, moved_runtimes
from tests.unit.cli.test_plan_text import C1, W1, planned

FILES = {"w1": {"/etc/docker/daemon.json": "aa"}, "c1": {}}


def now(name: str = "", **changes: Any) -> Plan:
    """The cluster as planned, but for these facts of one node."""
    plan = planned()
    nodes = [
        each.model_copy(update={"node": each.node.model_copy(update=changes if each.node.name == name else {})})
        for each in plan.nodes
    ]
    return plan.model_copy(update={"nodes": tuple(nodes)})


@pytest.mark.parametrize(
    ("plan", "lines"),
    [
        (now(), []),
        (now("w1", uid="other"), ["w1: was re-created (UID other, planned u1)"]),
        (now("w1", runtime="docker://20.10.7"), ["w1: runtime: docker://20.10.5 -> docker://20.10.7"]),
        (now("c1", kubelet_version="v1.20.4"), ["c1: kubelet_version: v1.20.2 -> v1.20.4"]),
        (now("w1", unschedulable=False), ["w1: unschedulable: True -> False"]),
        (now("w2", runtime="containerd://1.4.14"), []),
        (planned(nodes=planned().nodes[1:]), ["c1: left the cluster"]),
        (planned(cluster_uid="v"), ["it is another cluster: UID v, planned u"]),
        (planned(batches=((C1,), (W1,))), ["the batches would be others"]),
    ],
)
def test_what_has_moved(plan: Plan, lines: list[str]) -> None:
    assert moved_nodes(planned(), plan) == lines


def test_a_node_that_joined() -> None:
    assert moved_nodes(planned(nodes=planned().nodes[1:]), planned()) == ["c1: joined the cluster"]


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        (FILES, []),
        ({"w1": {"/etc/docker/daemon.json": "bb"}}, ["w1: /etc/docker/daemon.json has changed"]),
        ({"w1": {}}, ["w1: /etc/docker/daemon.json is gone"]),
        ({**FILES, "c1": {"/etc/x": "1"}}, ["c1: /etc/x is there now"]),
        ({**FILES, "w2": {"/etc/x": "1"}}, []),
    ],
)
def test_files(files: dict[str, dict[str, str]], lines: list[str]) -> None:
    assert moved_files(planned(read_files=FILES), files) == lines


@pytest.mark.parametrize(
    ("runtimes", "lines"),
    [
        ({"w1": ("1.4.13", "deb"), "c1": ("", "")}, []),
        ({"w1": ("1.4.13", "elsewhere"), "w2": ("1.7.0", "")}, []),
        ({"w1": ("1.6.20", "deb")}, ["w1: containerd 1.4.13 -> 1.6.20"]),
        ({"w1": ("", "")}, ["w1: containerd 1.4.13 -> unknown"]),
        ({"w1": ("1.4.13", ""), "c1": ("1.6.20", "")}, ["c1: containerd unknown -> 1.6.20"]),
    ],
)
def test_versions(runtimes: dict[str, tuple[str, str]], lines: list[str]) -> None:
    assert moved_runtimes(planned(runtimes={"w1": "1.4.13"}), runtimes) == lines


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    save_plan(planned(read_files=FILES), file)
    assert read_plan(file) == planned(read_files=FILES)
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("text", ["", "{}", '{"kind": "Migration"}', "nonsense"])
def test_what_is_no_plan(tmp_path: Path, text: str) -> None:
    (tmp_path / "p").write_text(text)
    with pytest.raises(SettingsError, match="no plan of this version"):
        read_plan(tmp_path / "p")
    with pytest.raises(SettingsError, match="No such file"):
        read_plan(tmp_path / "q")


def test_other_settings_are_refused() -> None:
    plan: PlannedRun = planned()
    refuse_other_settings(plan, plan.settings)
    spec = plan.settings.spec.model_copy(update={"ramp": "1,5", "max_unavailable": 5})
    with pytest.raises(Moved, match=r"spec\.max_unavailable: 1 -> 5\nspec\.ramp: unset -> 1,5"):
        refuse_other_settings(plan, plan.settings.model_copy(update={"spec": spec}))
