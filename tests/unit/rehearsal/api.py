"""A rehearsal's API with a few objects, and the pipeline's own client on its real HTTP server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.retry import Caller
from cri_switch.cluster.transport import sender
from cri_switch.model.migration import ClusterAccess
from cri_switch.rehearsal.access import write_kubeconfigs
from cri_switch.rehearsal.api_rights import RBAC, Rights
from cri_switch.rehearsal.build import ACCOUNT, ADMIN_TOKEN, TOKEN
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.http_api import Api
from cri_switch.rehearsal.http_server import HttpServer
from cri_switch.rehearsal.store import Store

Obj = dict[str, Any]
RUNNING = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


class World:
    """A store and its API, without machines."""

    def __init__(self, release: str = "v1.20.2") -> None:
        self.clock = VirtualClock()
        self.store = Store(self.clock)
        self.complaints: list[str] = []
        rights = Rights(tokens={TOKEN: ACCOUNT, ADMIN_TOKEN: "admin"}, admins={"admin"})
        rights.load(RBAC.read_text())
        self.api = Api(self.store, release, rights, self.complaints.append)
        for name in ("kube-system", "cri-switch", "lab"):
            self.store.create("Namespace", {"metadata": {"name": name}})

    def node(self, name: str, **spec: Any) -> Obj:
        ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": "2030-01-01T00:00:00Z"}
        labels = {"kubernetes.io/hostname": name}
        body = {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"conditions": [ready]}}
        return self.store.create("Node", body)

    def pod(self, name: str, node: str = "w1", *, ready: bool = True, **labels: str) -> Obj:
        metadata = {"name": name, "namespace": "lab", "labels": labels}
        status = RUNNING if ready else {"phase": "Pending"}
        spec = {"nodeName": node, "terminationGracePeriodSeconds": 30}
        return self.store.create("Pod", {"metadata": metadata, "spec": spec, "status": status})


@contextmanager
def client(world: World, directory: Path, *, name: str = "kubeconfig", dry_run: bool = False) -> Iterator[Cluster]:
    server = HttpServer(world.api)
    try:
        write_kubeconfigs(directory, server.url)
        path = str(directory / name)
        send = sender(ClusterAccess(kubeconfig=path))
        yield Cluster(send, kubeconfig=path, caller=Caller(send, path, patience=0.01), dry_run=dry_run)
    finally:
        server.close()
