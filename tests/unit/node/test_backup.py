from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cri_switch.model.errors import BackupFailed, Unreachable
from cri_switch.node.backup import backup
from cri_switch.node.command import Command, Result
from cri_switch.node.facts.etcd import parse_etcd_manifest
from cri_switch.node.fake import Answer, ScriptedConnection
from tests.unit.node.helpers import unit_text

FLAGS = "/var/lib/kubelet/kubeadm-flags.env"
MANIFEST = """
spec:
  containers:
  - command: [etcd, --data-dir=/var/lib/etcd, --name=cp1, "--listen-client-urls=https://10.0.0.1:2379,https://127.0.0.1:2379",
      --cert-file=/p/server.crt, --key-file=/p/server.key, --trusted-ca-file=/p/ca.crt,
      "--initial-advertise-peer-urls=https://10.0.0.1:2380"]
    volumeMounts: [{mountPath: /var/lib/etcd, name: data}, {mountPath: /p, name: certs}]
  volumes:
  - {name: data, hostPath: {path: /srv/etcd}}
  - {name: certs, hostPath: {path: /etc/kubernetes/pki/etcd}}
"""
MISSING = "find: '/etc/crictl.yaml': No such file or directory\n"
DIGEST = "0" * 64
Answers = dict[str | re.Pattern[str], Answer]


def pki(*names: str) -> str:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return out.getvalue().decode()


def worker(name: str = "w1") -> ScriptedConnection:
    found = f"{FLAGS}\t644\troot:root\n/etc/docker/daemon.json\t600\troot:root\n"
    return ScriptedConnection(
        name, {"find -L": Result(1, found, "sudo: unable to resolve host w1\n" + MISSING), "cat -- /": "content\n"}
    )


def control_plane(name: str = "cp1", *, docker: bool = True, extra: Answers | None = None) -> ScriptedConnection:
    status: Callable[[Command], Result] = lambda _c: Result(0, '{"hash":1,"revision":77,"totalKey":200,"totalSize":9}')  # noqa: E731
    state = unit_text("docker.service", "active" if docker else "inactive")
    checksum = hashlib.sha256(b"snapshot").hexdigest()
    return ScriptedConnection(
        name,
        (extra or {})
        | {
            "find -L": f"{FLAGS}\t644\troot:root\n",
            "cat -- /etc/kubernetes/manifests/etcd.yaml": MANIFEST,
            "cat -- /srv/etcd/cri-switch-": "snapshot",
            f"cat -- {FLAGS}": "flags\n",
            "systemctl show": state,
            "docker ps": "etcdid\n",
            "crictl ps": "criid\n",
            "snapshot save": "",
            "snapshot status": status,
            "sha256sum": f"{checksum}  x\n",
            "find /etc/kubernetes": "/etc/kubernetes/admin.conf\n",
            "tar -C": pki("etc/kubernetes/pki/ca.crt", "etc/kubernetes/admin.conf"),
            "rm -f": "",
        }
        | (extra or {}),
    )


def save(tmp_path: Path, cp: ScriptedConnection, *workers: ScriptedConnection) -> Path:
    nodes = {node.node: node for node in (cp, *workers)}
    report = backup("lab", nodes, ["cp1"], tmp_path / "b", flags_file=FLAGS, not_backed_up=["default/pvc data"], now=0)
    assert report.etcd_revision == 77
    return report.directory


def test_a_whole_backup(tmp_path: Path) -> None:
    cp = control_plane()
    where = save(tmp_path, cp, worker())
    assert where == tmp_path / "b" / "lab-19700101T000000Z"
    assert (where / "etcd-snapshot.db").read_text() == "snapshot"
    assert (where / "nodes/w1/etc/docker/daemon.json").read_text() == "content\n"
    assert {path.stat().st_mode & 0o777 for path in where.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (where, *where.rglob("*")) if path.is_dir()} == {0o700}
    manifest = json.loads((where / "manifest.json").read_text())
    assert {"nodes/w1/etc/docker/daemon.json", "etcd-snapshot.db", "pki.tar"} <= {f["file"] for f in manifest["files"]}
    assert manifest["not_backed_up"] == ["default/pvc data"]
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=where, check=True)
    restore = (where / "RESTORE.md").read_text()
    assert "sudo install -D -m 600 -o root -g root /dev/stdin /etc/docker/daemon.json" in restore
    assert "- default/pvc data" in restore


def test_two_of_one_second_are_two(tmp_path: Path) -> None:
    """A directory's rename onto one that has files fails; onto an empty one it would take its place."""
    first, second = save(tmp_path, control_plane()), save(tmp_path, control_plane())
    assert [first.name, second.name] == ["lab-19700101T000000Z", "lab-19700101T000000Z-2"]
    assert all((each / "etcd-snapshot.db").exists() for each in (first, second))


def test_etcdctl_is_run_inside_etcds_container_without_a_shell(tmp_path: Path) -> None:
    cp = control_plane()
    save(tmp_path, cp)
    line = next(line for line in cp.lines if "snapshot save" in line)
    assert line == (
        "docker exec -e ETCDCTL_API=3 etcdid etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/p/ca.crt"
        " --cert=/p/server.crt --key=/p/server.key snapshot save /var/lib/etcd/cri-switch-19700101T000000Z.db"
    )
    assert "rm -f -- /srv/etcd/cri-switch-19700101T000000Z.db /srv/etcd/cri-switch-19700101T000000Z.db.part" in cp.lines


def test_behind_crictl_and_docker_is_not_woken(tmp_path: Path) -> None:
    cp = control_plane(docker=False)
    save(tmp_path, cp)
    assert any(line.startswith("crictl exec criid etcdctl") for line in cp.lines)
    assert not any(line.startswith("docker") for line in cp.lines)


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        ({"cat -- /etc/kubernetes/manifests/etcd.yaml": Result(1, "", "No such file or directory")}, "static pod"),
        ({"cat -- /etc/kubernetes/manifests/etcd.yaml": "a: b"}, "not etcd's static pod"),
        ({"snapshot save": Result(1, "", "permission denied")}, "permission denied"),
        ({"snapshot status": "{}"}, "does not understand"),
        ({"snapshot status": '{"revision":1,"totalKey":0}'}, "no keys"),
        ({"sha256sum": f"{DIGEST}  x\n"}, "not carried whole"),
        ({"tar -C": pki("etc/kubernetes/pki/other")}, "ca.crt is not in"),
        ({"tar -C": "no tar"}, "not whole"),
        ({"find -L": ""}, "there is no /var/lib/kubelet/kubeadm-flags.env"),
        ({"find -L": Unreachable("gone")}, "gone"),
        ({"find -L": Result(1, f"{FLAGS}\t644\troot:root\n", f"{MISSING}find: '/etc': Permission denied")}, "denied"),
        ({"find -L": Result(1, f"{FLAGS}\t644\troot:root\n", "")}, "not every file could be looked at"),
        ({"cat -- /etc/kubernetes/manifests/etcd.yaml": "a: [b"}, "not etcd's static pod"),
    ],
)
def test_a_backup_that_is_not_whole_fails(tmp_path: Path, extra: Answers, what: str) -> None:
    cp = control_plane(extra=extra)
    with pytest.raises(BackupFailed, match=what) as caught:
        save(tmp_path, cp)
    assert "nothing was touched" in caught.value.state
    assert caught.value.next_step
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["lab-19700101T000000Z.partial"]
    if any("snapshot save" in line for line in cp.lines):
        assert any(line.startswith("rm -f") for line in cp.lines)


def test_the_data_directory_on_the_host() -> None:
    nested = MANIFEST.replace("--data-dir=/var/lib/etcd", "--data-dir=/var/lib/etcd/member1")
    assert parse_etcd_manifest(nested).host_data_dir == "/srv/etcd/member1"
    with pytest.raises(ValueError, match="not on the host"):
        parse_etcd_manifest(MANIFEST.replace("--data-dir=/var/lib/etcd", "--data-dir=/elsewhere"))
    with pytest.raises(ValueError, match="not etcd's static pod"):
        parse_etcd_manifest("spec: [")


def test_every_members_manifest_is_in_the_restore(tmp_path: Path) -> None:
    """A control plane that the backup has no manifest of is named."""
    there = "/etc/kubernetes/manifests/etcd.yaml"
    other = control_plane(
        "cp2",
        extra={
            "find -L": f"{FLAGS}\t644\troot:root\n{there}\t600\troot:root\n",
            f"cat -- {there}": MANIFEST.replace("cp1", "cp2").replace("10.0.0.1", "10.0.0.2"),
        },
    )
    nodes = {"cp1": control_plane(), "cp2": other}
    report = backup("lab", nodes, ["cp1", "cp2", "cp3"], tmp_path / "b", flags_file=FLAGS, now=0)
    restore = (report.directory / "RESTORE.md").read_text()
    assert restore.count("--initial-cluster cp1=https://10.0.0.1:2380,cp2=https://10.0.0.2:2380 ") == 2
    assert "no etcd manifest of kubeadm's from cp3." in restore
