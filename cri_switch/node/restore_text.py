"""RESTORE.md of a backup: the literal commands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from cri_switch.node.facts.etcd import EtcdPod


def restore_text(
    cluster: str,
    stamp: str,
    control_plane: str,
    etcd: EtcdPod,
    files: Sequence[tuple[str, str, str, str, str]],
    not_backed_up: Sequence[str],
) -> str:
    """Markdown; `files` are (node, file here, path there, mode, owner), `not_backed_up` is listed at the end."""
    name = etcd.flags.get("name", control_plane)
    peers = etcd.flags.get("initial-advertise-peer-urls", "")
    whole = " ".join(
        [
            "etcdctl snapshot restore etcd-snapshot.db",
            f"--data-dir {shlex.quote(etcd.host_data_dir)}",
            f"--name {shlex.quote(name)}",
            *([f"--initial-cluster {shlex.quote(f'{name}={peers}')}"] if peers else []),
            *([f"--initial-advertise-peer-urls {shlex.quote(peers)}"] if peers else []),
        ]
    )
    lines = [
        f"# Restoring {cluster} as of {stamp}",
        "",
        "Run from this directory. First see that it is whole:",
        "",
        "    sha256sum --quiet -c SHA256SUMS",
        "",
        "## etcd",
        "",
        f"From {control_plane}. With one control-plane node, as root on it, with etcd-snapshot.db and an etcdctl of",
        "etcd's version copied there. It sets the whole cluster back. With more members see etcd's documentation:",
        "every member is restored from this one file.",
        "",
        "    mv /etc/kubernetes/manifests /etc/kubernetes/manifests.off    # the kubelet stops the static pods",
        f"    mv {shlex.quote(etcd.host_data_dir)} {shlex.quote(etcd.host_data_dir + '.before-restore')}",
        f"    {whole}",
        "    mv /etc/kubernetes/manifests.off /etc/kubernetes/manifests",
        "",
        "## PKI and kubeconfigs",
        "",
        f"    ssh {control_plane} sudo tar -C / -x < pki.tar",
        "",
        "## Files of the nodes",
        "",
    ]
    for node in sorted({row[0] for row in files}):
        lines += [f"{node}:", ""]
        for _, file, path, mode, owner in (row for row in files if row[0] == node):
            user, _, group = owner.partition(":")
            install = f"sudo install -D -m {mode} -o {user} -g {group} /dev/stdin {shlex.quote(path)}"
            lines.append(f"    ssh {node} {shlex.quote(install)} < {shlex.quote(file)}")
        lines.append("")
    lines += ["## Not in this backup", ""]
    lines += [f"- {item}" for item in not_backed_up] or ["- volumes and hostPath data: the caller named none"]
    return "\n".join([*lines, ""])
