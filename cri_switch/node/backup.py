"""The backup: every node's files, etcd and the PKI of one control-plane node, and how to restore them."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path

from cri_switch.model.errors import BackupFailed, CriSwitchError
from cri_switch.model.private_file import make_private, write_private
from cri_switch.node.etcd_snapshot import Snapshot, snapshot
from cri_switch.node.facts.etcd import MANIFEST, EtcdPod, parse_etcd_manifest
from cri_switch.node.restore_text import restore_text
from cri_switch.node.saved import Saved, save_node, save_pki, saved_as
from cri_switch.node.transfer import Transfer

AT_ONCE = 8


@dataclass(frozen=True)
class BackupReport:
    """A whole backup: where it is, what is in it, what is not."""

    directory: Path
    control_plane: str
    etcd_revision: int
    etcd_keys: int
    files: tuple[Saved, ...]
    not_backed_up: tuple[str, ...] = field(default=())

    @property
    def summary(self) -> str:
        """One line for the log."""
        return (
            f"{len(self.files)} files in {self.directory}, etcd of {self.control_plane} at revision"
            f" {self.etcd_revision} ({self.etcd_keys} keys); not in it: {len(self.not_backed_up)} volumes and the like"
        )


def backup(
    cluster: str,
    connections: Mapping[str, Transfer],
    control_planes: Sequence[str],
    directory: Path,
    *,
    flags_file: str,
    not_backed_up: Sequence[str] = (),
    now: float | None = None,
) -> BackupReport:
    """Save everything into DIRECTORY/CLUSTER-TIMESTAMP, which has that name only once it is whole.

    `connections` are all nodes by name; etcd and the PKI come from the first of `control_planes`. Directories are
    0700, files 0600; manifest.json lists checksums, RESTORE.md has the literal commands.

    Raises: BackupFailed; what was saved until then lies beside it in a directory named .partial.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    whole, part = _free(directory.expanduser() / f"{cluster}-{stamp}")
    if not control_planes:
        raise BackupFailed("no control-plane node to take etcd's snapshot from")
    try:
        make_private(directory.expanduser())
        part.mkdir(mode=0o700)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            each = pool.map(lambda item: save_node(item[1], part, flags_file), sorted(connections.items()))
            saved = [file for files in each for file in files]
        first = connections[control_planes[0]]
        etcd = snapshot(first, part / "etcd-snapshot.db", stamp)
        saved.append(saved_as(part, first.node, "etcd", etcd.download))
        saved.append(save_pki(first, part))
        report = BackupReport(whole, first.node, etcd.revision, etcd.keys, tuple(saved), tuple(not_backed_up))
        etcds = {first.node: etcd.pod, **_other_members(part, control_planes[1:])}
        text = restore_text(cluster, stamp, control_planes, etcds, _rows(report), report.not_backed_up)
        write_private(part / "RESTORE.md", text)
        _describe(report, part, cluster, stamp, etcd)
        part.rename(whole)
    except (OSError, tarfile.TarError) as problem:
        raise BackupFailed(
            f"the backup in {part} is not whole: {problem}",
            state="nothing was touched",
            next_step="make room or choose another spec.backup.directory, and run the same command again",
        ) from problem
    except CriSwitchError as problem:
        raise BackupFailed(
            f"the backup in {part} is not whole: {problem.what}",
            state=f"nothing was touched. {problem.state}".strip(),
            next_step=problem.next_step or "run the same command again",
        ) from problem
    return report


def _other_members(part: Path, nodes: Sequence[str]) -> dict[str, EtcdPod]:
    """etcd's members on further control-plane nodes, by the manifests that were saved of them."""
    members = {}
    for node in nodes:
        with suppress(OSError, ValueError):
            saved = part / "nodes" / node / MANIFEST.lstrip("/")
            members[node] = parse_etcd_manifest(saved.read_text(encoding="utf-8"))
    return members


def _rows(report: BackupReport) -> list[tuple[str, str, str, str, str]]:
    return [(file.node, file.file, file.path, file.mode, file.owner) for file in report.files if file.mode]


def _free(wanted: Path) -> tuple[Path, Path]:
    """The directory and its .partial, by a name that no other backup of the same second has."""
    names = (wanted if n == 1 else wanted.with_name(f"{wanted.name}-{n}") for n in count(1))
    pairs = ((whole, whole.with_name(f"{whole.name}.partial")) for whole in names)
    return next(pair for pair in pairs if not any(map(os.path.lexists, pair)))


def _describe(report: BackupReport, part: Path, cluster: str, stamp: str, etcd: Snapshot) -> None:
    described = {
        "cluster": cluster,
        "created": stamp,
        "control_plane": report.control_plane,
        "etcd": {"revision": etcd.revision, "keys": etcd.keys, "data_dir": etcd.pod.host_data_dir},
        "not_backed_up": list(report.not_backed_up),
        "files": [asdict(file) for file in report.files],
    }
    write_private(part / "manifest.json", json.dumps(described, indent=2) + "\n")
    write_private(part / "SHA256SUMS", "".join(f"{file.sha256}  {file.file}\n" for file in report.files))
    for file in report.files:
        with (part / file.file).open("rb") as saved:
            if hashlib.file_digest(saved, "sha256").hexdigest() != file.sha256:
                raise BackupFailed(f"{file.file} is not what {file.node} sent")
