"""Nodes of the API that no machine has joined as."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.site import Site
from tests.e2e.wait import until


@dataclass(frozen=True)
class Ghost:
    """What such a node says of itself; no pod but a DaemonSet's goes there, and that one waits."""

    name: str
    address: str
    labels: Mapping[str, str] = field(default_factory=dict)
    kubelet: str = "v1.20.2"
    runtime: str = "docker://20.10.5"
    machine_id: str = ""

    def manifest(self) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": {"kubernetes.io/os": "linux", **self.labels}},
            "spec": {"taints": [{"key": "site.example/ghost", "effect": "NoExecute"}]},
            "status": {
                "addresses": [{"type": "InternalIP", "address": self.address}],
                "nodeInfo": {
                    "machineID": self.machine_id, "systemUUID": "", "bootID": "", "kernelVersion": "",
                    "osImage": "Debian", "containerRuntimeVersion": self.runtime, "kubeletVersion": self.kubelet,
                    "kubeProxyVersion": self.kubelet, "operatingSystem": "linux", "architecture": "amd64",
                },
            },
        }  # fmt: skip


@contextmanager
def haunted(site: Site, *ghosts: Ghost) -> Iterator[None]:
    """They are there, and gone with their pods afterwards."""
    names = [ghost.name for ghost in ghosts]
    listed = {"apiVersion": "v1", "kind": "List", "items": [ghost.manifest() for ghost in ghosts]}
    try:
        site.kubectl("create", "-f", "-", stdin=json.dumps(listed))
        yield
    finally:
        site.kubectl("delete", "node", "--ignore-not-found", *names)
        until("the ghosts' pods to be gone", lambda: _none_left(site, names), 300)


def _none_left(site: Site, names: list[str]) -> bool:
    """Whether no DaemonSet's pod of theirs is there, bound or not; those that are go now, not when somebody looks."""
    left: dict[str, list[str]] = {}
    for pod in site.get("pods"):
        affinity = json.dumps(pod["spec"].get("affinity"))
        if pod["spec"].get("nodeName") in names or any(f'"{name}"' in affinity for name in names):
            left.setdefault(pod["metadata"]["namespace"], []).append(pod["metadata"]["name"])
    for namespace, pods in left.items():
        site.kubectl("-n", namespace, "delete", "pod", *pods, "--grace-period=0", "--force", check=False)
    return not left
