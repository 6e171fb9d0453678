"""How to set etcd back to a snapshot: the literal commands, for one member or several."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from cri_switch.node.facts.etcd import EtcdPod

_MANIFESTS = "/etc/kubernetes/manifests"
_SECONDS = 180
"""The kubelet looks at the directory every 20 s and gives a pod 30 s to end."""
_PODS = "etcd|kube-apiserver|kube-controller|kube-scheduler"
"""The kernel's names of the processes: 15 letters. They are the same under Docker and containerd."""
_SAID = "trap 'test $? = 0 && echo done || echo FAILED: the last command, and what follows it was not done' EXIT"


def etcd_restore(stamp: str, etcds: Mapping[str, EtcdPod], others: tuple[str, ...] = ()) -> list[str]:
    """Lines of Markdown; `etcds` are the members by their node's name, `others` control-plane nodes without one.

    A new data directory is made beside the old one while all runs; then the static pods are stopped and waited for,
    on every member before the first one starts again.
    """
    nodes = list(etcds)
    lines = [
        f"This sets the whole cluster back, not only what a migration changed. etcd's members: {', '.join(nodes)}.",
        *_left_out(others),
        "Bring the snapshot there:",
        "",
        *(
            f"    ssh {node} sudo install -m 0600 /dev/stdin /root/etcd-snapshot.db < etcd-snapshot.db"
            for node in nodes
        ),
        "",
        f"All that follows is for root on {' and on '.join(nodes)}. It takes an etcdctl of etcd's version; where there",
        "is none, a running etcd has it (etcd 3.6: etcdutl, also in the commands below):",
        "",
        "    install -m 0755 /proc/$(pgrep -o -x etcd)/root/usr/local/bin/etcdctl /usr/local/bin/etcdctl",
        "",
        "Paste each block whole. It ends at a command that fails and says FAILED: correct what that says, and go on",
        "from that command by hand. Before a block has said done, no other one is pasted.",
        "",
    ]
    cluster = ",".join(f"{_name(node, etcd)}={_peer(etcd)}" for node, etcd in etcds.items() if _peer(etcd))
    parts = {node: (_stopped(stamp, node, etcd, cluster), _started(etcd)) for node, etcd in etcds.items()}
    if len(nodes) == 1:
        stopped, started = parts[nodes[0]]
        return [*lines, *_block([*stopped, *started])]
    lines += ["First stop etcd on every member; nothing answers from here on:", ""]
    for node in nodes:
        lines += [f"{node}, stop:", "", *_block(parts[node][0])]
    lines += ["Only when it has ended on all of them:", ""]
    for node in nodes:
        lines += [f"{node}, start:", "", *_block(parts[node][1])]
    return lines


def _left_out(others: tuple[str, ...]) -> list[str]:
    if not others:
        return []
    return [
        f"This backup has no etcd manifest of kubeadm's from {', '.join(others)}. If etcd runs there, it must be",
        "stopped and restored with the others: by the name and peer URL of its /etc/kubernetes/manifests/etcd.yaml,",
        "which then belong into --initial-cluster of every command below, and by a block of its own.",
    ]


def _stopped(stamp: str, node: str, etcd: EtcdPod, cluster: str) -> list[str]:
    restore = [
        "etcdctl snapshot restore etcd-snapshot.db",
        f"--data-dir {shlex.quote(_beside(etcd, 'restored'))}",
        f"--name {shlex.quote(_name(node, etcd))}",
        *([f"--initial-cluster {shlex.quote(cluster)}"] if cluster else []),
        *([f"--initial-advertise-peer-urls {shlex.quote(_peer(etcd))}"] if cluster else []),
        f"--initial-cluster-token cri-switch-{stamp}",
    ]
    return [
        "cd /root",
        "export ETCDCTL_API=3",
        "command -v pgrep",
        f"test ! -e {shlex.quote(_beside(etcd, 'before-restore'))}    # of an earlier restore",
        " ".join(restore),
        f"mv -T {_MANIFESTS} {_MANIFESTS}.off    # the kubelet stops the static pods",
        f"timeout {_SECONDS} sh -c 'while pgrep -x \"{_PODS}\"; do sleep 1; done'    # they have ended",
    ]


def _started(etcd: EtcdPod) -> list[str]:
    member = shlex.quote(f"{etcd.host_data_dir}/member")
    return [
        f"install -d -m 0700 {shlex.quote(etcd.host_data_dir)}",
        f"test ! -e {member} || mv -T {member} {shlex.quote(_beside(etcd, 'before-restore'))}",
        f"mv -T {shlex.quote(_beside(etcd, 'restored') + '/member')} {member}",
        f"rmdir {shlex.quote(_beside(etcd, 'restored'))}",
        f"mv -T {_MANIFESTS}.off {_MANIFESTS}",
    ]


def _block(commands: list[str]) -> list[str]:
    """A subshell, so that a failure neither goes on nor ends the login."""
    return [f"    {line}" for line in ("(", _SAID, "set -e", *commands, ")")] + [""]


def _beside(etcd: EtcdPod, what: str) -> str:
    return f"{etcd.host_data_dir}.{what}"


def _name(node: str, etcd: EtcdPod) -> str:
    return etcd.flags.get("name", node)


def _peer(etcd: EtcdPod) -> str:
    return etcd.flags.get("initial-advertise-peer-urls", "")
