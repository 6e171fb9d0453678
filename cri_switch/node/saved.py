"""Files of a node, brought into the backup with their checksums."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path

from cri_switch.model.errors import BackupFailed
from cri_switch.model.private_file import make_private
from cri_switch.node.command import sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.files_below import files_below
from cri_switch.node.transfer import Download, Transfer

NODE_PATHS = (
    "/var/lib/kubelet/config.yaml",
    "/var/lib/kubelet/kubeadm-flags.env",
    "/etc/default/kubelet",
    "/etc/default/docker",
    "/etc/docker/daemon.json",
    "/etc/containerd",
    "/etc/crictl.yaml",
    "/etc/cni/net.d",
    "/etc/sysctl.conf",
    "/etc/sysctl.d",
    "/etc/modules-load.d",
    "/etc/kubernetes/manifests",
    "/etc/systemd/system/docker.service",
    "/etc/systemd/system/docker.service.d",
    "/etc/systemd/system/docker.socket.d",
    "/etc/systemd/system/containerd.service",
    "/etc/systemd/system/containerd.service.d",
    "/etc/systemd/system/kubelet.service",
    "/etc/systemd/system/kubelet.service.d",
)
PKI = "/etc/kubernetes/pki"


@dataclass(frozen=True)
class Saved:
    """One file of the backup; `mode` is octal, `owner` is user:group, both as on the node."""

    file: str
    node: str
    path: str
    sha256: str
    size: int
    mode: str = ""
    owner: str = ""


def save_node(connection: Transfer, part: Path, flags_file: str) -> list[Saved]:
    """One node's files, under nodes/NAME with the paths that they have there.

    Raises: BackupFailed, and what the connection raises.
    """
    saved = []
    found = files_below((*NODE_PATHS, *(() if flags_file in NODE_PATHS else (flags_file,)))).read(connection)
    if flags_file not in {file.path for file in found}:
        raise BackupFailed(f"{connection.node}: there is no {flags_file}", next_step="set spec.kubelet.flags_file")
    for file in found:
        here = part / "nodes" / connection.node / file.path.lstrip("/")
        make_private(here.parent)
        download = connection.run_to_file(sudo("cat", "--", file.path), here)
        saved.append(saved_as(part, connection.node, file.path, download, file.mode, file.owner))
    return saved


def save_pki(connection: Transfer, part: Path) -> Saved:
    """/etc/kubernetes/pki and the kubeconfigs beside it, as one tar.

    Raises: BackupFailed, and what the connection raises.
    """
    found = Fact(
        "kubeconfigs",
        sudo("find", "/etc/kubernetes", "-maxdepth", "1", "-type", "f", "-name", "*.conf", "-printf", "%p\\n"),
        lambda result: result.stdout.splitlines(),
    ).read(connection)
    members = [path.lstrip("/") for path in (PKI, *sorted(found))]
    download = connection.run_to_file(sudo("tar", "-C", "/", "-c", "--", *members, timeout=120), part / "pki.tar")
    with tarfile.open(download.path) as archive:
        names = set(archive.getnames())
    if missing := {f"{PKI.lstrip('/')}/ca.crt"} - names:
        raise BackupFailed(f"{connection.node}: {', '.join(missing)} is not in the copy of the PKI")
    return saved_as(part, connection.node, PKI, download)


def saved_as(part: Path, node: str, path: str, download: Download, mode: str = "", owner: str = "") -> Saved:
    """The entry of a file that was brought into `part`."""
    file = str(download.path.relative_to(part))
    return Saved(file, node, path, download.sha256, download.size, mode, owner)
