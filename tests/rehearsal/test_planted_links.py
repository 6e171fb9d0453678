"""A symbolic link planted where we write leads the write nowhere else: it is refused, or replaced by a file."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from cri_switch.model.errors import CriSwitchError
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from tests.rehearsal.engineless import Engineless

OURS = "/var/lib/cri-switch"
KEPT = "somebody else's"


@pytest.mark.parametrize(
    ("link", "target"),
    [
        (OURS, "/srv/elsewhere"),
        ("/etc/containerd/config.toml", "/srv/elsewhere/file"),
        ("/etc/crictl.yaml", "/srv/elsewhere/file"),
        ("/var/lib/kubelet/kubeadm-flags.env", "/srv/elsewhere/flags"),
        ("{folder}", "/srv/elsewhere"),
        ("{folder}/journal.jsonl", "/srv/elsewhere/file"),
        ("{folder}/before.json", "/srv/elsewhere/file"),
        ("{folder}/originals.jsonl", "/srv/elsewhere/file"),
    ],
)
def test_on_a_node(tmp_path: Path, link: str, target: str) -> None:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=3, control_planes=1), clock)
    clock.passed = world.tick
    runs = Engineless(world, tmp_path)
    folder = f"{OURS}/{runs.plan(runs.migration()).migration_id}"
    fs = world.machines["w1"].fs
    path = link.format(folder=folder)
    flags = fs.text("/var/lib/kubelet/kubeadm-flags.env") or ""
    planted = {"/srv/elsewhere/file": KEPT, "/srv/elsewhere/flags": flags}
    for name, text in planted.items():
        fs.put(name, text)
    if fs.lookup(path, follow=False):
        fs.remove(path)
    fs.mkdir(str(Path(path).parent))
    fs.symlink(target, path)
    try:
        runs.run(runs.migration())
    except CriSwitchError as problem:
        assert path in str(problem)
    else:
        assert fs.entry(path, follow=False).kind == "f"
    assert {name: fs.text(name) for name in planted} == planted
    assert sorted(fs.names("/srv/elsewhere")) == ["file", "flags"]
    assert world.complaints == []


def test_the_backup_on_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=4, control_planes=1), clock)
    clock.passed = world.tick
    runs = Engineless(world, tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    second = SimpleNamespace(strftime=lambda *_: "20261123T000000Z", gmtime=time.gmtime)
    monkeypatch.setattr("cri_switch.node.backup.time", second)
    home = tmp_path / "backup-1"
    home.mkdir()
    (home / "rehearsal-20261123T000000Z.partial").symlink_to(elsewhere)
    runs.run(runs.migration())
    assert list(elsewhere.iterdir()) == []
    assert (home / "rehearsal-20261123T000000Z-2" / "etcd-snapshot.db").stat().st_size > 0
