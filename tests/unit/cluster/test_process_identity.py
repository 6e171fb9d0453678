"""A process that has died here is known to be dead; any other is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cri_switch.cluster.process_identity import surely_dead, this_process


def test_this_one_lives() -> None:
    assert not surely_dead(this_process())


def test_one_that_was_here_and_has_ended() -> None:
    code = "from cri_switch.cluster.process_identity import this_process as t; print(t(), flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    who = child.stdout.readline().strip()
    assert not surely_dead(who)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, not reaped: a zombie
    assert surely_dead(who)
    child.communicate()
    assert surely_dead(who)


def test_a_process_that_proc_hides_is_not_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """hidepid=2: another user's live run is not in /proc."""
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text(Path("/proc/sys/kernel/random/boot_id").read_text())
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/pid").symlink_to(Path("/proc/self/ns/pid").readlink())
    who = this_process()
    assert not surely_dead(who, tmp_path)

    def answers(problem: OSError) -> bool:
        def kill(_pid: int, _signal: int) -> None:
            raise problem

        monkeypatch.setattr(os, "kill", kill)
        return surely_dead(who, tmp_path)

    assert not answers(PermissionError())
    assert answers(ProcessLookupError())


def test_what_cannot_be_told_is_not_dead() -> None:
    host, boot, namespace, pid, started = this_process().split(":")
    assert surely_dead(":".join([host, boot, namespace, pid, str(int(started) + 1)])), "the pid was used again"
    assert not surely_dead(":".join([host, "another", namespace, pid, "1"])), "another boot, or another machine"
    assert not surely_dead(":".join([host, boot, "1", pid, "1"])), "another container"
    assert not surely_dead("host")
    assert not surely_dead("")
