"""An etcd snapshot by the etcdctl inside etcd's own container; no shell in it is assumed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cri_switch.model.errors import BackupFailed, RemoteCommandFailed
from cri_switch.node.command import Command, Result, sudo
from cri_switch.node.connection import Connection
from cri_switch.node.facts.etcd import MANIFEST, EtcdPod, parse_etcd_manifest
from cri_switch.node.facts.units import units
from cri_switch.node.files import file_fact
from cri_switch.node.transfer import Download, Transfer

LABELS = ("io.kubernetes.container.name=etcd", "io.kubernetes.pod.namespace=kube-system")
SECONDS = 600.0


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that is here and whole; `revision` and `keys` are what etcdctl says of it."""

    download: Download
    revision: int
    keys: int
    pod: EtcdPod


def snapshot(connection: Transfer, path: Path, stamp: str) -> Snapshot:
    """Take a snapshot on a control-plane node, check it, bring it to `path` and delete it on the node.

    Raises: BackupFailed when there is no local etcd or the snapshot is not whole, and what the connection raises.
    """
    text = file_fact(MANIFEST).read(connection).text
    if text is None:
        raise BackupFailed(
            f"{connection.node}: there is no {MANIFEST}: etcd does not run here as kubeadm's static pod",
            next_step="take etcd's snapshot where it runs, and set spec.backup.skip: true",
        )
    try:
        pod = parse_etcd_manifest(text)
    except ValueError as problem:
        raise BackupFailed(f"{connection.node}: {MANIFEST}: {problem}") from problem
    name = f"cri-switch-{stamp}.db"
    inside, outside = f"{pod.data_dir}/{name}", f"{pod.host_data_dir}/{name}"
    into = etcd_exec(connection)
    try:
        connection.run(_long(*into, "etcdctl", *pod.credentials, "snapshot", "save", inside))
        status = _status(connection, into, inside)
        expected = connection.run(_long("sha256sum", "--", outside)).stdout.split()[0]
        download = connection.run_to_file(_long("cat", "--", outside), path)
    finally:
        connection.run(sudo("rm", "-f", "--", outside, f"{outside}.part"))
    if download.sha256 != expected:
        raise BackupFailed(f"{connection.node}: the etcd snapshot was not carried whole: run the same command again")
    return Snapshot(download, status[0], status[1], pod)


def _long(*argv: str) -> Command:
    return sudo(*argv, timeout=SECONDS)


def etcd_exec(connection: Connection) -> tuple[str, ...]:
    """`docker exec ID` or `crictl exec ID` of etcd's running container; a stopped Docker is not woken up."""
    if units("docker.service").read(connection)["docker.service"].active:
        filters = [word for label in LABELS for word in ("--filter", f"label={label}")]
        ids = connection.run(sudo("docker", "ps", "-q", "--no-trunc", *filters)).stdout.split()
        if ids:
            return ("docker", "exec", "-e", "ETCDCTL_API=3", ids[0])
    ids = connection.run(sudo("crictl", "ps", "-q", "--name", "^etcd$", "--state", "Running")).stdout.split()
    if not ids:
        raise BackupFailed(
            f"{connection.node}: no running etcd container, neither in Docker nor behind crictl",
            next_step=f"look at it: ssh {connection.node} sudo journalctl -u kubelet",
        )
    return ("crictl", "exec", ids[0])


def _status(connection: Connection, into: tuple[str, ...], path: str) -> tuple[int, int]:
    try:
        answer = connection.run(_long(*into, "etcdctl", "snapshot", "status", path, "-w", "json"))
    except RemoteCommandFailed:  # etcd 3.6 has it in etcdutl only
        answer = connection.run(_long(*into, "etcdutl", "snapshot", "status", path, "-w", "json"))
    return parse_status(answer, connection.node)


def parse_status(answer: Result, node: str) -> tuple[int, int]:
    """Revision and number of keys.

    Raises: BackupFailed when it is not a snapshot with keys in it.
    """
    try:
        found = json.loads(answer.stdout)
        revision, keys = int(found["revision"]), int(found["totalKey"])
    except (ValueError, KeyError, TypeError) as problem:
        raise BackupFailed(
            f"{node}: etcdctl does not understand its own snapshot: {answer.stdout[:200]!r}"
        ) from problem
    if keys <= 0:
        raise BackupFailed(f"{node}: the etcd snapshot has no keys")
    return revision, keys
