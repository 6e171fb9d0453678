"""What this process can tell of the machine that it runs on."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from cri_switch.checks.orchestrator import Here
from cri_switch.cluster.client import Cluster

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def here(api: Cluster) -> Here:
    """Machine id, boot id, name, addresses; in a pod also whether the cluster has this pod."""
    pod = ""
    if os.environ.get("KUBERNETES_SERVICE_HOST") and _ACCOUNT.is_file():
        pod = f"{_ACCOUNT.read_text().strip()}/{socket.gethostname()}"
    namespace, _, name = pod.partition("/")
    return Here(
        machine_id=_text(Path("/etc/machine-id")),
        boot_id=_text(Path("/proc/sys/kernel/random/boot_id")),
        hostname=socket.gethostname(),
        addresses=_addresses(),
        pod=pod,
        pod_found=bool(pod) and api.get("Pod", name, namespace) is not None,
    )


def _addresses() -> frozenset[str]:
    """This machine's own addresses, by the kernel's table of local routes; none where there is no such table."""
    found, last = set(), ""
    for line in _text(Path("/proc/net/fib_trie")).splitlines():
        word = line.split()
        if word[:1] == ["|--"]:
            last = word[1]
        elif "/32 host LOCAL" in line and not last.startswith("127."):
            found.add(last)
    return frozenset(found)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""
