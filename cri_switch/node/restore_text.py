"""RESTORE.md of a backup: the literal commands."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from cri_switch.node.etcd_restore import etcd_restore
from cri_switch.node.facts.etcd import EtcdPod


def restore_text(
    cluster: str,
    stamp: str,
    control_planes: Sequence[str],
    etcds: Mapping[str, EtcdPod],
    files: Sequence[tuple[str, str, str, str, str]],
    not_backed_up: Sequence[str],
) -> str:
    """Markdown; `etcds` are etcd's members by node, `files` are (node, file here, path there, mode, owner).

    The PKI is of the first of `control_planes`; `not_backed_up` is listed at the end.
    """
    nodes = sorted({row[0] for row in files})
    lines = [
        f"# Restoring {cluster} as of {stamp}",
        "",
        "Run from this directory. First see that it is whole:",
        "",
        "    sha256sum --quiet -c SHA256SUMS",
        "",
        "## etcd",
        "",
        *etcd_restore(stamp, etcds, tuple(node for node in control_planes if node not in etcds)),
        "Then restart the kubelets, whose watches know what was later than the snapshot:",
        "",
        *(f"    ssh {node} sudo systemctl restart kubelet" for node in nodes),
        "",
        "## PKI and kubeconfigs",
        "",
        f"    ssh {control_planes[0]} sudo tar -C / -x < pki.tar",
        "",
        "## Files of the nodes",
        "",
    ]
    for node in nodes:
        lines += [f"{node}:", ""]
        for _, file, path, mode, owner in (row for row in files if row[0] == node):
            user, _, group = owner.partition(":")
            install = f"sudo install -D -m {mode} -o {user} -g {group} /dev/stdin {shlex.quote(path)}"
            lines.append(f"    ssh {node} {shlex.quote(install)} < {shlex.quote(file)}")
        lines.append("")
    lines += ["## Not in this backup", ""]
    lines += [f"- {item}" for item in not_backed_up] or ["- volumes and hostPath data: the caller named none"]
    return "\n".join([*lines, ""])
