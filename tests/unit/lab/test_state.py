"""What a lab records, and when it is garbage."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.lab import cgroups, state, teardown
from tests.lab.process import Process, boot_id
from tests.lab.report import LabError
from tests.lab.topology import machines


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRI_SWITCH_LAB_STATE", str(tmp_path))
    monkeypatch.setattr(cgroups, "hierarchies", lambda: [tmp_path / "cgroup"])


@pytest.fixture
def lab() -> state.Lab:
    return state.create("dev", machines(1, 2), 11, "cgroupfs", None)


@pytest.fixture
def gone() -> Process:
    """A process that was."""
    child = subprocess.Popen(["sleep", "60"])
    process = Process.of(child.pid)
    child.kill()
    child.wait()
    return process


def test_what_was_recorded_is_read_again(lab: state.Lab) -> None:
    lab.machine("w1").leader = Process.of(os.getpid())
    lab.save()
    assert state.load("dev") == lab
    assert [each.name for each in state.every()] == ["dev"]
    assert [node.spec.name for node in lab.nodes] == ["cp1", "w1", "w2"]
    assert [worker.spec.name for worker in lab.workers] == ["w1", "w2"]


def test_the_endpoint_is_the_server_where_there_are_several_control_planes(lab: state.Lab) -> None:
    assert lab.endpoint == "10.77.0.11:6443"
    grown = state.create("grown", machines(3, 1), 11, "systemd", None)
    assert grown.endpoint == "10.77.0.2:6443"
    assert [node.spec.name for node in grown.control_planes] == ["cp1", "cp2", "cp3"]


def test_an_older_record_is_still_read(lab: state.Lab) -> None:
    file = lab.directory / "state.json"
    data = json.loads(file.read_text())
    for each in data["machines"].values():
        del each["spec"]["debian"], each["pid_namespace"]
    file.write_text(json.dumps(data))
    assert state.load("dev").machine("w1").spec.debian == 11


def test_every_disk_is_recorded_before_it_is_mounted(lab: state.Lab) -> None:
    assert {each.root.parent for each in lab.machines.values()} <= set(state.load("dev").mounts)


def test_recording_one_machine_leaves_the_others_alone(lab: state.Lab) -> None:
    other = state.load("dev")
    for each, name in ((lab, "w1"), (other, "w2")):
        each.machine(name).leader = Process.of(os.getpid())
        each.record(each.machine(name))
    assert [machine.spec.name for machine in state.load("dev").machines.values() if machine.alive] == ["w1", "w2"]


def test_unknown_names_are_refused(lab: state.Lab) -> None:
    with pytest.raises(LabError, match="no machine 'w9'"):
        lab.machine("w9")
    with pytest.raises(LabError, match="no lab named 'other'"):
        state.load("other")


def test_a_process_is_known_by_its_start(gone: Process) -> None:
    own = Process.of(os.getpid())
    assert own.alive
    assert not gone.alive
    assert not Process(own.pid, own.started + 1, own.boot).alive
    assert not Process(own.pid, own.started, "another boot").alive


def test_a_lab_of_a_living_command_is_kept(lab: state.Lab) -> None:
    assert not teardown.is_garbage(lab, boot_id())


def test_a_killed_command_leaves_garbage(lab: state.Lab, gone: Process) -> None:
    lab.owner = gone
    assert teardown.is_garbage(lab, boot_id())
    lab.phase = "stopping"
    assert teardown.is_garbage(lab, boot_id())


def test_a_lab_that_is_up_is_kept_until_its_run_or_the_machine_ends(lab: state.Lab, gone: Process) -> None:
    lab.phase, lab.owner = "up", gone
    assert not teardown.is_garbage(lab, boot_id())
    assert teardown.is_garbage(lab, "another boot")
    lab.user = Process.of(os.getpid())
    assert not teardown.is_garbage(lab, boot_id())
    lab.user = gone
    assert teardown.is_garbage(lab, boot_id())
