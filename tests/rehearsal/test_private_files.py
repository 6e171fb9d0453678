"""What a run makes, here and on the nodes, is root's or its user's only from the first byte, whatever the umask."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.errors import CriSwitchError
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.filesystem import Entry, FileSystem
from cri_switch.rehearsal.node_fault import NodeFault
from tests.rehearsal.engineless import Engineless

OURS = "/var/lib/cri-switch"
WRITERS = {"dd", "install", "mkdir", "cp", "docker", "systemd-run"}
OPEN = {"/etc/containerd", "/etc/containerd/certs.d"}
"""The system's own directories, which containerd's package makes 0755 too; no secret is in our files below them."""


class Made:
    """Every file and directory of the nodes, as it was right after the command of ours that made it."""

    def __init__(self, machines: dict[str, Any]) -> None:
        self._machines = machines
        self.found: list[tuple[str, Entry, int]] = []

    def outside(self, what: str, act: Callable[[], Any]) -> Any:
        """For Engineless: what is told to a node is `NODE: COMMAND`."""
        node, _, command = what.partition(": ")
        words = [word for word in command.split() if word != "sudo"]
        if node not in self._machines or not words or words[0] not in WRITERS:
            return act()
        fs = self._machines[node].fs
        before = {id(entry) for _path, entry in _all(fs)}
        kept = [entry for _path, entry in _all(fs)]  # so that no id is given twice
        answer = act()
        self.found += [(path, entry, entry.mode) for path, entry in _all(fs) if id(entry) not in before]
        del kept
        return answer


def _all(fs: FileSystem) -> Iterator[tuple[str, Entry]]:
    for top in ("/etc", OURS, "/var/lib/etcd", "/var/lib/kubelet"):
        yield from fs.walk(top)


@pytest.fixture
def no_umask(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is hidden by a umask, and nothing can be mended by a later chmod: the mode seen is the first one."""

    def refused(*_args: Any, **_more: Any) -> None:
        raise AssertionError("made with one mode, given another")

    before = os.umask(0)
    for name in ("chmod", "fchmod", "lchmod"):
        monkeypatch.setattr(os, name, refused, raising=False)
    monkeypatch.setattr(os, "umask", lambda _mask: 0)
    yield
    monkeypatch.undo()
    os.umask(before)


@pytest.mark.parametrize("fails", [(), ("crictl", "info")], ids=["to its end", "and back"])
def test_a_run(tmp_path: Path, no_umask: None, fails: tuple[str, ...]) -> None:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=3, control_planes=1), clock)
    clock.passed = world.tick
    here = tmp_path / "above" / "ours"
    runs = Engineless(world, here)
    made = Made(world.machines)
    runs.outside = made.outside
    for machine in world.machines.values():
        machine.fault_hook = lambda argv: NodeFault(1, "broken") if fails and argv[: len(fails)] == fails else None
    try:
        runs.run(runs.migration())
    except CriSwitchError:
        assert fails
    else:
        assert not fails
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert {name: oct(mode) for name, mode in modes.items() if mode != _private((tmp_path / name).is_dir())} == {}
    assert {"above/ours/results", "above/ours/backup-1"} <= modes.keys()

    wrong = [(path, entry.kind, oct(mode)) for path, entry, mode in made.found if not _well(path, entry, mode)]
    assert wrong == []
    assert {OURS, f"{OURS}/{_id(made)}/journal.jsonl", f"{OURS}/{_id(made)}/reserve"} <= {p for p, _e, _m in made.found}


def _private(folder: bool) -> int:
    return 0o700 if folder else 0o600


def _well(path: str, entry: Entry, mode: int) -> bool:
    """An original has its file's mode, which the way back gives the file again: the directory above keeps people out.

    The simulated cp makes a copy with that mode; the real one adds others' rights last.
    """
    as_it_was = entry.kind == "f" and ("/originals/" in path or path.endswith(".cri-switch-undo"))
    return mode == _private(entry.kind == "d") or as_it_was or path in OPEN


def _id(made: Made) -> str:
    return next(path.split("/")[4] for path, _entry, _mode in made.found if path.count("/") > 3 and OURS in path)
