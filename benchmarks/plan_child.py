"""One measured process of plan_1000.py: `python -m benchmarks.plan_child CASE DIR` writes DIR/measured.json."""

from __future__ import annotations

import json
import pickle
import resource
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.simulator import SOCKET

if len(sys.argv) < 3:
    sys.exit(2)
DIRECTORY = Path(sys.argv[2])


class SocketConnection:
    """A node's connection by the simulator's socket."""

    def __init__(self, node: str) -> None:
        self.node = node
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(DIRECTORY / SOCKET))
        self._file = self._socket.makefile("rwb")
        pickle.dump(node, self._file)

    def run(self, command: Any) -> Any:
        """The simulator's answer, or its error raised."""
        with self._lock:
            pickle.dump(command, self._file)
            self._file.flush()
            answer = pickle.load(self._file)  # noqa: S301 (our own child)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """End it."""
        self._file.close()
        self._socket.close()


def plan() -> None:
    """`cri-switch plan`."""
    from cri_switch.cli.main import run  # noqa: PLC0415

    with patch("cri_switch.node.ssh.SshConnection.open", lambda node, _ssh: SocketConnection(node.name)):
        code = run(["plan", "-f", str(DIRECTORY / "migration.yaml"), "-o", "json"])
    if code:
        sys.exit(code)


def ours() -> None:
    """Nodes and pods as cri-switch lists them: pages of 500, plain JSON."""
    from cri_switch.cluster.client import Cluster  # noqa: PLC0415
    from cri_switch.model.migration import ClusterAccess  # noqa: PLC0415

    cluster = Cluster.open(ClusterAccess(kubeconfig=str(DIRECTORY / "kubeconfig")))
    sys.stderr.write(f"{len(cluster.list('Node'))} nodes, {len(cluster.list('Pod'))} pods\n")


def kubernetes_client() -> None:
    """The same by the kubernetes package's typed client, all at once, as most programs do it."""
    from kubernetes.client import CoreV1Api  # noqa: PLC0415
    from kubernetes.config import new_client_from_config  # noqa: PLC0415

    api = CoreV1Api(new_client_from_config(str(DIRECTORY / "kubeconfig")))
    nodes, pods = api.list_node().items, api.list_pod_for_all_namespaces().items
    sys.stderr.write(f"{len(nodes)} nodes, {len(pods)} pods\n")


if __name__ == "__main__":
    begun = time.monotonic()
    {"plan": plan, "ours": ours, "kubernetes-client": kubernetes_client}[sys.argv[1]]()
    used, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    measured = {
        "seconds": round(time.monotonic() - begun, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_mib": round(used.ru_maxrss / 1024),
        "largest_child_mib": round(children.ru_maxrss / 1024),
    }
    (DIRECTORY / "measured.json").write_text(json.dumps(measured))
