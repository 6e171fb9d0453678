"""A rehearsal of many nodes in a process of its own that stands still: `python -m benchmarks.simulator DIR NODES PODS`.

The API is real HTTP. Node commands come over a Unix socket as pickles, in place of SSH: a thousand handshakes of both
sides on one machine would measure that machine's cryptography, which in reality a thousand nodes do.
"""

from __future__ import annotations

import pickle
import socketserver
import sys
import uuid
from pathlib import Path
from typing import Any

from cri_switch.model.errors import CriSwitchError
from cri_switch.node.command import Result
from cri_switch.node.transfer import Download
from cri_switch.rehearsal.access import write_kubeconfigs, write_settings
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import Clock
from cri_switch.rehearsal.connection import MemoryConnection
from cri_switch.rehearsal.http_server import HttpServer
from cri_switch.rehearsal.pod import pod_of
from cri_switch.rehearsal.pod_status import Waiting, pod_status
from cri_switch.rehearsal.workload import APP_IMAGE
from cri_switch.rehearsal.world import World

SOCKET = "nodes.sock"
_PER_WORKLOAD = 100


def main(argv: list[str]) -> int:
    """DIR NODES PODS: make them, say READY and what there is, serve until stdin ends."""
    directory, nodes, pods = Path(argv[0]), int(argv[1]), int(argv[2])
    world = build(ClusterSpec(nodes=nodes, control_planes=3), Clock(1.0))
    fill(world, pods)
    server = HttpServer(world.api)
    write_kubeconfigs(directory, server.url)
    write_settings(directory, "benchmark", {"user": "ops"}, {"max_unavailable": "5%"})
    with socketserver.ThreadingUnixStreamServer(str(directory / SOCKET), _handler(world)) as commands:
        import threading  # noqa: PLC0415

        threading.Thread(target=commands.serve_forever, daemon=True).start()
        sys.stdout.write(f"READY {len(world.machines)} {len(world.store.peek('Pod'))}\n")
        sys.stdout.flush()
        sys.stdin.read()
        commands.shutdown()
    server.close()
    return 0


def fill(world: World, pods: int) -> None:
    """Running pods of Deployments, bound one node after the other, with their containers in the nodes' Docker."""
    workers = [machine for name, machine in world.machines.items() if name.startswith("w")]
    missing, store = pods - len(world.store.peek("Pod")), world.store
    for number in range(max(0, missing)):
        if number % _PER_WORKLOAD == 0:
            name = f"fill-{number // _PER_WORKLOAD}"
            count = min(_PER_WORKLOAD, missing - number)
            labels, spec = {"app": name}, {"containers": [{"name": "app", "image": APP_IMAGE}]}
            template = {"metadata": {"labels": labels}, "spec": spec}
            body = {"replicas": count, "selector": {"matchLabels": labels}, "template": template}
            top = store.create("Deployment", _object(name, spec=body))
            one = store.create("ReplicaSet", _object(f"{name}-1", _owner("Deployment", top), spec=body))
        machine = workers[number % len(workers)]
        requests = {"cpu": "50m", "memory": "64Mi"}
        container = {"name": "app", "image": APP_IMAGE, "resources": {"requests": requests}}
        environment = [{"name": f"SETTING_{n}", "value": "a value such as pods have"} for n in range(12)]
        obj = _object(f"{name}-1-{number}", _owner("ReplicaSet", one), labels=labels)
        obj["spec"] = {"nodeName": machine.name, "containers": [container | {"env": environment}]}
        pod = pod_of(obj)
        sandbox = machine.docker.run_sandbox(pod)
        box = machine.docker.run_container(sandbox, "app", APP_IMAGE, 0)
        now = machine.now() + 5
        obj["status"] = pod_status(pod, [box], "docker", machine.address, now, Waiting(), now)
        store.create("Pod", obj)


def _object(name: str, owner: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "shop", "uid": str(uuid.uuid4())}
    if owner:
        metadata["ownerReferences"] = [owner]
    return {"metadata": metadata | {"labels": more.pop("labels", {})}, **more}


def _owner(kind: str, obj: dict[str, Any]) -> dict[str, Any]:
    metadata = obj["metadata"]
    return {"apiVersion": "apps/v1", "kind": kind, "name": metadata["name"], "uid": metadata["uid"], "controller": True}


def _handler(world: World) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        """One connection of one node: its name, then a command and an answer, again and again."""

        def handle(self) -> None:
            name = pickle.load(self.rfile)  # noqa: S301 (our own child)
            connection = MemoryConnection(world.machines[name], Result, Download)
            while True:
                try:
                    command = pickle.load(self.rfile)  # noqa: S301
                except EOFError:
                    return
                try:
                    answer: Any = connection.run(command)
                except CriSwitchError as problem:
                    answer = problem
                pickle.dump(answer, self.wfile)
                self.wfile.flush()

    return Handler


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
