"""The literal commands that set etcd back, pasted into a real shell on a directory that stands for the node."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cri_switch.node.etcd_restore import etcd_restore
from cri_switch.node.facts.etcd import EtcdPod

ETCD = EtcdPod("/var/lib/etcd", "/var/lib/etcd", "https://127.0.0.1:2379", {})
ETCDCTL = """#!/bin/sh
echo "$@" >> {0}/called
[ ! -e {0}/broken ] || exit 1
while [ "$1" != --data-dir ]; do shift; done
mkdir -p "$2/member" && echo restored > "$2/member/db"
"""
PGREP = """#!/bin/sh
[ "$*" = '-x etcd|kube-apiserver|kube-controller|kube-scheduler' ] || exit 3
echo "pgrep, manifests off: $(test -e {0}/etc/kubernetes/manifests.off && echo yes)" >> {0}/called
[ -e {0}/runs ] || exit 1
rm {0}/runs
"""
TIMEOUT = """#!/bin/sh
[ ! -e {0}/for-ever ] || exit 124
shift; exec "$@"
"""


def member(name: str = "cp1", address: str = "10.0.0.1") -> EtcdPod:
    return replace(ETCD, flags={"name": name, "initial-advertise-peer-urls": f"https://{address}:2380"})


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for folder in ("bin", "root", "etc/kubernetes/manifests", "var/lib/etcd/member"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/kubernetes/manifests/etcd.yaml").write_text("etcd")
    (tmp_path / "var/lib/etcd/member/db").write_text("old")
    (tmp_path / "runs").touch()
    for name in ("mv", "mkdir", "install", "rm", "rmdir", "sh", "test"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    for name, text in (("etcdctl", ETCDCTL), ("pgrep", PGREP), ("timeout", TIMEOUT), ("sleep", "#!/bin/sh\n")):
        (tmp_path / "bin" / name).write_text(text.format(tmp_path))
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def paste(machine: Path, lines: list[str]) -> int:
    """The block, from its bracket to the other, with the machine's directory before each path."""
    begin = lines.index("    (")
    block = "\n".join(lines[begin : lines.index("    )", begin) + 1])
    for path in ("/root", "/etc/kubernetes", "/var/lib/etcd"):
        block = block.replace(path, f"{machine}{path}")
    environment = {"PATH": f"{machine}/bin"}
    done = subprocess.run(
        ["/bin/bash", "-c", block], env=environment, check=False, timeout=60, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.splitlines()[-1].startswith("FAILED" if done.returncode else "done")
    return done.returncode


def untouched(machine: Path) -> bool:
    return data(machine) == "old" and (machine / "etc/kubernetes/manifests/etcd.yaml").exists()


def data(machine: Path) -> str:
    return (machine / "var/lib/etcd/member/db").read_text().strip()


def test_etcd_has_ended_before_its_data_is_moved(machine: Path) -> None:
    assert paste(machine, etcd_restore("S", {"cp1": member()})) == 0
    assert data(machine) == "restored"
    assert (machine / "var/lib/etcd.before-restore/db").read_text() == "old"
    assert (machine / "etc/kubernetes/manifests/etcd.yaml").exists()
    called = (machine / "called").read_text().splitlines()
    assert called[0] == (
        f"snapshot restore etcd-snapshot.db --data-dir {machine}/var/lib/etcd.restored --name cp1 --initial-cluster"
        " cp1=https://10.0.0.1:2380 --initial-advertise-peer-urls https://10.0.0.1:2380"
        " --initial-cluster-token cri-switch-S"
    )
    assert called[1:] == ["pgrep, manifests off: yes"] * 2


def test_an_etcd_that_does_not_end_keeps_its_data(machine: Path) -> None:
    (machine / "for-ever").touch()
    assert paste(machine, etcd_restore("S", {"cp1": member()})) != 0
    assert data(machine) == "old"
    assert not (machine / "etc/kubernetes/manifests").exists()


@pytest.mark.parametrize("missing", ["bin/etcdctl", "bin/pgrep"])
def test_what_is_missing_is_noticed_before_anything_stops(machine: Path, missing: str) -> None:
    (machine / missing).unlink()
    assert paste(machine, etcd_restore("S", {"cp1": member()})) != 0
    assert untouched(machine)


@pytest.mark.parametrize("there", ["broken", "var/lib/etcd.before-restore"])
def test_so_is_a_snapshot_that_is_not_one_and_an_earlier_restore(machine: Path, there: str) -> None:
    (machine / there).touch()
    assert paste(machine, etcd_restore("S", {"cp1": member()})) != 0
    assert untouched(machine)


def test_a_data_directory_that_is_lost(machine: Path) -> None:
    shutil.rmtree(machine / "var/lib/etcd")
    assert paste(machine, etcd_restore("S", {"cp1": member()})) == 0
    assert data(machine) == "restored"


def test_with_three_members_all_are_stopped_before_one_starts(machine: Path) -> None:
    nodes = {f"cp{n}": member(f"cp{n}", f"10.0.0.{n}") for n in (1, 2, 3)}
    text = etcd_restore("S", nodes)
    order = [line for line in text if line.endswith((", stop:", ", start:"))]
    assert order == [f"cp{n}, {what}:" for what in ("stop", "start") for n in (1, 2, 3)]
    restores = [line for line in text if "snapshot restore" in line]
    assert [line.split("--name ")[1].split()[0] for line in restores] == ["cp1", "cp2", "cp3"]
    every = ",".join(f"cp{n}=https://10.0.0.{n}:2380" for n in (1, 2, 3))
    assert all(f"--initial-cluster {every} --initial-advertise" in line for line in restores)
    assert paste(machine, text) == 0
    assert data(machine) == "old"
    assert paste(machine, text[text.index("cp1, start:") :]) == 0
    assert data(machine) == "restored"


def test_a_control_plane_without_a_known_member_is_named() -> None:
    assert any(
        "no etcd manifest of kubeadm's from cp3." in line for line in etcd_restore("S", {"a": member()}, ("cp3",))
    )
    assert not any("manifest of kubeadm" in line for line in etcd_restore("S", {"a": member()}))
