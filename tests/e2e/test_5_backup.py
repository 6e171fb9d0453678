"""The backup, used: checked and restored with the literal commands that lie in it."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shlex
import socket
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.before import Before
from tests.e2e.look import node
from tests.e2e.migration import Migrated
from tests.e2e.settings import settings
from tests.e2e.site import Site
from tests.e2e.wait import until
from tests.lab import assets
from tests.lab.assets.archive import read_archive

_DEPLOYMENT = "/registry/deployments/lab/web"
_ENVIRONMENT = {"ETCDCTL_API": "3", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


@pytest.fixture(scope="module")
def backups(site: Site, migrated: Migrated) -> list[Path]:
    """One of each run, the oldest first: the killed run made one before it touched anything."""
    place = Path(settings(site)["spec"]["backup"]["directory"])
    found = sorted(path for path in place.iterdir() if path.name.startswith(f"{site.name}-"))
    assert len(found) == 2, found
    assert not [path for path in found if path.name.endswith(".partial")]
    return found


def test_nobody_else_may_read_it(backups: list[Path]) -> None:
    """It holds the cluster's keys."""
    for path in [*backups, *(path for backup in backups for path in backup.rglob("*"))]:
        assert path.stat().st_mode & 0o077 == 0, path
        assert not path.is_dir() or path.stat().st_mode & 0o777 == 0o700, path


def test_the_manifests_checksums_are_true_and_complete(backups: list[Path]) -> None:
    for backup in backups:
        listed = {file["file"]: file["sha256"] for file in _manifest(backup)["files"]}
        assert {name: hashlib.sha256((backup / name).read_bytes()).hexdigest() for name in listed} == listed
        about = {"manifest.json", "RESTORE.md", "SHA256SUMS"}
        there = {str(path.relative_to(backup)) for path in backup.rglob("*") if path.is_file()}
        assert there - about == set(listed)
        checked = _literal(backup, "sha256sum")
        subprocess.run(shlex.split(checked), cwd=backup, check=True, timeout=60)


def test_a_damaged_file_is_found_by_the_literal_command(backups: list[Path], tmp_path: Path) -> None:
    """The check above can fail."""
    name = "nodes/w1/etc/docker/daemon.json"
    sums = [line for line in (backups[0] / "SHA256SUMS").read_text().splitlines() if line.endswith(name)]
    (tmp_path / "SHA256SUMS").write_text(sums[0] + "\n")
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes((backups[0] / name).read_bytes() + b" ")
    done = subprocess.run(shlex.split(_literal(backups[0], "sha256sum")), cwd=tmp_path, check=False, timeout=60)
    assert done.returncode != 0


def test_every_nodes_files_are_in_it_as_they_were(site: Site, before: Before, backups: list[Path]) -> None:
    for name in site.nodes:
        files = backups[0] / "nodes" / name
        flags = (files / node.FLAGS_FILE.lstrip("/")).read_text()
        assert "--network-plugin=cni" in flags and "--container-runtime" not in flags, name
        assert "insecure-registries" in json.loads((files / "etc/docker/daemon.json").read_text()), name
        if before.configs[name]:
            assert (files / "etc/containerd/config.toml").read_text() == before.configs[name]


def test_the_pki_is_in_it(site: Site, backups: list[Path]) -> None:
    with tarfile.open(backups[0] / "pki.tar") as archive:
        for path in ("etc/kubernetes/pki/ca.key", "etc/kubernetes/pki/etcd/ca.crt", "etc/kubernetes/admin.conf"):
            stream = archive.extractfile(path)
            assert stream is not None
            assert stream.read().decode() == site.read(site.control_plane, f"/{path}"), path


def test_what_is_not_in_it_is_named(backups: list[Path]) -> None:
    left_out = " ".join(_manifest(backups[0])["not_backed_up"])
    assert "ledger-w1" in left_out and "ledger-w2" in left_out, left_out


def test_the_snapshot_is_restored_into_an_empty_etcd_and_a_deployment_read_from_it(
    backups: list[Path], tmp_path: Path
) -> None:
    """With the command of RESTORE.md, by the etcd of the cluster's own version, in a root of its image's files."""
    backup = backups[0]
    _, _, layers = read_archive(assets.images() / "k8s.gcr.io_etcd_3.4.13-0.tar")
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            archive.extractall(tmp_path, filter="tar")
    (tmp_path / "etcd-snapshot.db").write_bytes((backup / "etcd-snapshot.db").read_bytes())
    (tmp_path / "var/lib").mkdir(parents=True, exist_ok=True)
    restore = shlex.split(_literal(backup, "etcdctl snapshot restore"))
    inside = ["chroot", str(tmp_path), "/usr/local/bin/" + restore[0], *restore[1:]]
    subprocess.run(inside, env=_ENVIRONMENT, check=True, timeout=60)
    data = restore[restore.index("--data-dir") + 1]
    with _etcd(tmp_path, data, restore[restore.index("--name") + 1]) as client:
        value = _ask(tmp_path, client, "get", _DEPLOYMENT, "--print-value-only")
        assert b"web" in value and b"lab/app:1" in value
        assert _ask(tmp_path, client, "get", "/registry/deployments/lab/nobody", "--print-value-only").strip() == b""
        keys = _ask(tmp_path, client, "get", "/registry/", "--prefix", "--keys-only").split()
        assert len(keys) > 100


def _manifest(backup: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((backup / "manifest.json").read_text())
    return manifest


def _literal(backup: Path, begin: str) -> str:
    """The command of RESTORE.md that begins so."""
    text = (backup / "RESTORE.md").read_text()
    found = re.findall(rf"^    ({re.escape(begin)}\b.*)$", text, re.MULTILINE)
    assert len(found) == 1, text
    return str(found[0])


@contextmanager
def _etcd(root: Path, data: str, name: str) -> Iterator[str]:
    """An etcd on a restored directory, in the chroot; the answer is its client address."""
    client, peer = (f"http://127.0.0.1:{port}" for port in _free_ports(2))
    command = [
        "chroot", str(root), "/usr/local/bin/etcd", "--data-dir", data, "--name", name, "--listen-client-urls", client,
        "--advertise-client-urls", client, "--listen-peer-urls", peer, "--log-outputs", "stderr",
    ]  # fmt: skip
    log = root / "etcd.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env=_ENVIRONMENT)
    try:
        until("etcd to be healthy", lambda: process.poll() is None and _healthy(root, client), 300)
        yield client
    except AssertionError as problem:
        problem.add_note(log.read_text()[-3000:])
        raise
    finally:
        process.terminate()
        process.wait(20)


def _healthy(root: Path, client: str) -> bool:
    return b"is healthy" in _ask(root, client, "endpoint", "health", check=False)


def _ask(root: Path, client: str, *words: str, check: bool = True) -> bytes:
    command = ["chroot", str(root), "/usr/local/bin/etcdctl", "--endpoints", client, *words]
    done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, check=check, timeout=30)
    return done.stdout + done.stderr


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(listener.getsockname()[1]) for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
