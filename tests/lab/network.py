"""A lab's network namespace with its bridge: nothing of a lab is reached from anywhere else."""

from __future__ import annotations

from pathlib import Path

from tests.lab.process import run
from tests.lab.topology import GATEWAY, PREFIX, SERVICE_NETWORK

BRIDGE = "lab0"
_NAMESPACES = Path("/run/netns")
# One lab's kubelets and systemds use about 60 of the usual 128 instances.
_INOTIFY_INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
_INOTIFY_WISH = 8192


def namespace(lab: str) -> Path:
    return _NAMESPACES / f"cri-switch-{lab}"


def inside(lab: str) -> list[str]:
    """What to put before a command so that it runs in the lab's network.

    Not `ip netns exec`: that one remounts /sys, /sys/fs/cgroup is empty then, and nspawn breaks.
    """
    return ["nsenter", f"--net={namespace(lab)}", "--"]


def create(lab: str) -> None:
    """The namespace with `lo` up and a bridge that is every machine's default gateway."""
    run(["ip", "netns", "add", namespace(lab).name])
    for command in (
        "ip link set lo up",
        f"ip link add {BRIDGE} type bridge",
        f"ip addr add {GATEWAY}/{PREFIX} dev {BRIDGE}",
        f"ip link set {BRIDGE} up",
    ):
        run([*inside(lab), *command.split()])
    if int(_INOTIFY_INSTANCES.read_text()) < _INOTIFY_WISH:
        _INOTIFY_INSTANCES.write_text(str(_INOTIFY_WISH))


def route_cluster(lab: str, server: str, pod_networks: dict[str, str]) -> None:
    """Let `exec` reach pods on their nodes, and Services through the server's kube-proxy: that machine is no node."""
    for destination, via in {**pod_networks, SERVICE_NETWORK: server}.items():
        run([*inside(lab), "ip", "route", "replace", destination, "via", via])


def remove(lab: str) -> None:
    """Take the namespace away; the bridge and what hangs on it go with it."""
    if namespace(lab).exists():
        run(["ip", "netns", "delete", namespace(lab).name])
