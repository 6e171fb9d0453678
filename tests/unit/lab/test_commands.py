"""`python -m tests.lab COMMAND` without a lab: what it refuses, what it takes away, and which program it becomes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.lab import __main__ as command
from tests.lab import assets, cgroups, machine, network, provision, state, up
from tests.lab.process import Process
from tests.lab.report import LabError
from tests.lab.topology import machines


class BecameError(Exception):
    """Instead of the program that the command would become."""

    def __init__(self, argv: list[str], environment: dict[str, str]) -> None:
        super().__init__(argv)
        self.argv, self.environment = argv, environment


@pytest.fixture(autouse=True)
def taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """State and cache of its own; what would touch this machine is only noted."""
    done: list[str] = []
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("CRI_SWITCH_LAB_STATE", str(tmp_path / "labs"))
    monkeypatch.setattr(assets, "cache_root", lambda: tmp_path / "cache")
    monkeypatch.setattr(cgroups, "hierarchies", lambda: [tmp_path / "cgroup"])
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "stop", lambda each, grace: done.append(f"stop {each.spec.name} {grace}"))
    monkeypatch.setattr(network, "remove", lambda lab: done.append(f"remove network {lab}"))
    monkeypatch.setattr(os, "execvpe", _become)
    return done


def _become(_file: str, argv: list[str], environment: dict[str, str]) -> None:
    raise BecameError(argv, environment)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    def run(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["lab", *words])
        return command.main()

    return run


def made(name: str = "dev", phase: state.Phase = "up") -> state.Lab:
    found = state.create(name, machines(1, 2), 11, "cgroupfs", None)
    found.phase = phase
    found.save()
    return found


def killed() -> Process:
    """A process that was."""
    child = subprocess.Popen(["sleep", "60"])
    process = Process.of(child.pid)
    child.kill()
    child.wait()
    return process


@pytest.mark.parametrize("phase", ["starting", "stopping"])
def test_gc_takes_away_what_a_killed_command_left(
    lab: Callable[..., int], taken: list[str], phase: state.Phase, capsys: pytest.CaptureFixture[str]
) -> None:
    """A killed `up`, or a killed `down`; the lab beside it that is up stays."""
    kept, left = made("kept"), made("left", phase)
    left.owner = killed()
    left.save()
    assert lab("gc") == 0
    assert [each.name for each in state.every()] == ["kept"]
    assert kept.directory.is_dir()
    assert not left.directory.exists()
    assert taken[-1] == "remove network left"
    assert sorted(taken[:-1]) == sorted(f"stop {name} 1" for name in left.machines)
    assert f"lab left: a killed run left it ({phase})" in capsys.readouterr().err


def test_gc_ends_a_removal_that_was_cut_off(lab: Callable[..., int], taken: list[str]) -> None:
    half = state.base() / f"{state.LEFTOVER}dev"
    (half / "machines").mkdir(parents=True)
    assert lab("gc") == 0
    assert not half.exists()
    assert taken == []


def test_a_machine_that_still_runs_keeps_its_lab(lab: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be ended is not forgotten: the record stays for the next `gc`."""
    left = made("left", "starting")
    left.owner = killed()
    left.save()

    def stop(_machine: object, grace: float) -> None:
        raise LabError(f"it does not end within {grace} s")

    monkeypatch.setattr(machine, "stop", stop)
    assert lab("gc") == 1
    assert [each.name for each in state.every()] == ["left"]


@pytest.mark.parametrize("short", ["labs", "cache"])
def test_up_refuses_a_disk_with_less_than_20_gb(
    lab: Callable[..., int], short: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(provision, "check_inputs", lambda: None)
    monkeypatch.setattr(assets, "host_packages", lambda: begun.append("packages"))
    monkeypatch.setattr(up, "_build_assets", lambda _releases: begun.append("assets"))
    free = {"labs": 25e9, "cache": 25e9, short: 19.96e9}
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free[Path(place).name]))
    assert lab("up", "--name", "dev") == 1
    assert f"{short} has 20.0 GB of disk left, the lab needs 20 GB" in capsys.readouterr().err
    assert begun == []
    assert state.every() == []


def test_up_refuses_a_name_that_is_taken(
    lab: Callable[..., int], taken: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made()
    monkeypatch.setattr(provision, "check_inputs", lambda: None)
    monkeypatch.setattr(assets, "host_packages", lambda: None)
    monkeypatch.setattr(up, "_build_assets", lambda _releases: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: SimpleNamespace(free=25e9))
    assert lab("up", "--name", "dev") == 1
    assert "lab dev is there already (python -m tests.lab down --name dev)" in capsys.readouterr().err
    assert taken == []


def test_exec_is_the_command_in_the_labs_network_as_its_administrator(lab: Callable[..., int]) -> None:
    found = made()
    with pytest.raises(BecameError) as became:
        lab("exec", "--name", "dev", "--", "kubectl", "get", "nodes", "--name", "x")
    assert became.value.argv == [*network.inside("dev"), "kubectl", "get", "nodes", "--name", "x"]
    assert became.value.environment["KUBECONFIG"] == str(found.directory / "admin.conf")
    assert became.value.environment["CRI_SWITCH_LAB"] == str(found.directory)
    assert became.value.environment["PATH"].startswith(f"{found.directory / 'bin'}:")


def test_ssh_is_by_the_labs_own_configuration(lab: Callable[..., int]) -> None:
    found = made()
    with pytest.raises(BecameError) as became:
        lab("ssh", "--name", "dev", "w1", "uptime", "-p")
    config = str(found.directory / "ssh_config")
    assert became.value.argv == [*network.inside("dev"), "ssh", "-F", config, "w1", "uptime", "-p"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["exec", "--name", "dev"], "no command given (after --)"),
        (["exec", "--name", "other", "--", "true"], "no lab named 'other'"),
        (["ssh", "--name", "dev", "w9"], "lab dev has no machine 'w9'; it has "),
        (["down", "--name", "other"], "no lab named 'other'"),
        (["start", "--name", "dev", "w1"], "w1 is running"),
    ],
)
def test_what_is_refused_in_one_line(
    lab: Callable[..., int], words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = made()
    found.machine("w1").leader = Process.of(os.getpid())
    found.save()
    assert lab(*words) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"lab: {said}")


def test_status_names_every_lab_and_its_machines(lab: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    found = made()
    found.machine("w1").leader = Process.of(os.getpid())
    found.save()
    made("other", "starting")
    assert lab("status") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("  ")] == [
        f"dev  up  debian 11  cgroupfs  {found.directory}",
        f"other  starting  debian 11  cgroupfs  {state.directory('other')}",
    ]
    (running,) = [line.split() for line in lines if line.startswith("  w1 ") and "not running" not in line]
    assert running[-2:] == ["pid", str(os.getpid())]
    assert sum("not running" in line for line in lines) == 2 * len(found.machines) - 1
    assert lab("status", "--name", "dev") == 0
    assert "other" not in capsys.readouterr().out


def test_only_root_makes_machines(
    lab: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert lab("gc") == 1
    assert capsys.readouterr().err == "lab: it needs root: it makes machines\n"


def test_down_takes_one_away(lab: Callable[..., int], taken: list[str]) -> None:
    made()
    made("other")
    assert lab("down", "--name", "dev") == 0
    assert [each.name for each in state.every()] == ["other"]
    assert "remove network dev" in taken
