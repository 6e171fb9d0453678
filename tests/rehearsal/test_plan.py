"""The plan of a simulated cluster: what it says, and that a saved one is done as it stands or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from cri_switch.model.errors import Moved, PreflightError
from cri_switch.model.planned_run import PlannedRun
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from tests.rehearsal.engineless import Engineless


@pytest.fixture
def engine(tmp_path: Path) -> Engineless:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=3, control_planes=1), clock)
    clock.passed = world.tick
    return Engineless(world, tmp_path)


def test_what_it_says(engine: Engineless) -> None:
    found = engine.plan(engine.migration())
    assert [node.name for node in found.todo] == ["w1", "w2", "cp1"]
    assert found.runtimes.keys() == {"w1", "w2", "cp1"}
    assert found.backup.directory.endswith("backup")
    assert found.estimate.seconds > 60
    assert found.read_files["w1"].keys() >= {"/var/lib/kubelet/kubeadm-flags.env", "/var/lib/kubelet/config.yaml"}
    assert found.next_command == "prefect deployment run 'migrate-cluster/rehearsal'"
    assert "SingleControlPlane" in {each.name for each in found.findings}


def test_with_errors_it_is_there_all_the_same(engine: Engineless) -> None:
    with pytest.raises(PreflightError) as problem:
        engine.plan(engine.migration(backup={"directory": str(engine.directory)}))
    found = problem.value.report
    assert isinstance(found, PlannedRun)
    assert [each.name for each in found.findings if each.level == "error"] == ["BackupNotAcknowledged"]


def test_with_errors_the_diff_is_that_of_the_nodes_that_can_be_told(engine: Engineless) -> None:
    engine.world.machines["w1"].fs.write("/etc/containerd/config.toml", "version = [\n")
    engine.world.machines["w2"].down_until = engine.world.clock.now() + 1e6
    with pytest.raises(PreflightError) as problem:
        engine.plan(engine.migration(), diff=True)
    found = problem.value.report
    assert {each.name for each in found.findings if each.level == "error"} == {"FileNotUnderstood", "Unreachable"}
    assert problem.value.exit_code == 3
    assert {name for change in found.files for name in change.nodes} == {"cp1"}


def test_a_saved_plan_is_done(engine: Engineless) -> None:
    report = engine.run_planned(engine.plan(engine.migration(nodes={"limit": ["w2"]})))
    assert {node.name: node.outcome for node in report.nodes} == {"w1": "skipped", "w2": "migrated", "cp1": "skipped"}


def test_facts_that_moved_are_named_and_nothing_is_touched(engine: Engineless) -> None:
    saved = engine.plan(engine.migration())
    engine.world.machines["w2"].fs.write("/etc/docker/daemon.json", '{"log-level": "debug"}\n')
    with pytest.raises(Moved, match=r"w2: /etc/docker/daemon.json (is there now|has changed)"):
        engine.run_planned(saved)
    drop_in = "/etc/systemd/system/kubelet.service.d/20-site.conf"
    saved = engine.plan(engine.migration())
    engine.world.machines["w1"].packages.known["containerd"].version = "1.6.20~ds1-1+deb12u1"
    engine.world.machines["cp1"].fs.put(drop_in, "[Service]\nNice=1\n")
    with pytest.raises(Moved, match=r"w1: containerd 1\.4\.13\S* -> 1\.6\.20\S*\ncp1: kubelet.service .*has changed"):
        engine.run_planned(saved)
    saved = engine.plan(engine.migration())
    with engine.world.store.acting("administrator"):
        engine.world.store.change("Node", "w1", "", lambda node: node["spec"].update(unschedulable=True))
    with pytest.raises(Moved, match="w1: unschedulable: False -> True"):
        engine.run_planned(saved)
    assert engine.executed.count("cordon") == 0
