"""Control planes in virtual time, whose parts are stopped as an administrator does it."""

from __future__ import annotations

from typing import Any

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.retry import Caller
from cri_switch.cluster.transport import Answer, Request
from cri_switch.model.errors import Unreachable
from cri_switch.node.command import Result, plain, sudo
from cri_switch.node.transfer import Download
from cri_switch.rehearsal.api_reply import Call
from cri_switch.rehearsal.build import TOKEN, ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.connection import MemoryConnection

MANIFESTS = "/etc/kubernetes/manifests"


class Planes:
    """cp1, cp2, ... and a worker, the pipeline's client for their API, and a shell on each."""

    def __init__(self, control_planes: int = 3) -> None:
        self.world = build(ClusterSpec(nodes=control_planes + 1, control_planes=control_planes), VirtualClock())
        clock = self.world.clock
        self.cluster = Cluster(self._send, caller=Caller(self._send, sleep=clock.sleep, clock=clock.now))

    def call(self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None) -> Call:
        """By the pipeline's service account."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        return Call(method, path, query or {}, body, kind, f"Bearer {TOKEN}")

    def _send(self, request: Request) -> Answer:
        reply = self.world.api.answer(self.call(request.method, request.path, dict(request.query), request.body))
        if reply.lost:
            raise Unreachable(f"{request}: no answer")
        self.world.clock.sleep(reply.after)
        return Answer(reply.status, reply.data.decode())

    def connection(self, name: str) -> MemoryConnection[Result, Download]:
        """To a node."""
        return MemoryConnection(self.world.machines[name], Result, Download)

    def stop(self, name: str, part: str) -> None:
        """Move a static pod's manifest away: its kubelet ends the pod."""
        fs = self.world.machines[name].fs
        fs.put(f"/root/{part}.yaml", fs.read(f"{MANIFESTS}/{part}.yaml"))
        fs.remove(f"{MANIFESTS}/{part}.yaml")
        self.pass_time(10)

    def start(self, name: str, part: str) -> None:
        """Move it back."""
        fs = self.world.machines[name].fs
        fs.put(f"{MANIFESTS}/{part}.yaml", fs.read(f"/root/{part}.yaml"))
        self.pass_time(30)

    def pass_time(self, seconds: float) -> None:
        """Simulated seconds, the world looking twice in each."""
        for _ in range(round(seconds * 2)):
            self.world.clock.sleep(0.5)
            self.world.tick()

    def readyz(self, name: str) -> str:
        """The code of a node's own API server."""
        words = ("curl", "-sk", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "https://127.0.0.1:6443/readyz")
        return self.connection(name).run(plain(*words, ok=range(256))).stdout

    def etcdctl(self, name: str, *words: str) -> Result:
        """In the container of a node's etcd, by Docker."""
        etcd = self.world.machines[name].container("etcd")
        assert etcd is not None, f"no etcd runs on {name}"
        into = ("docker", "exec", "-e", "ETCDCTL_API=3", etcd.id, "etcdctl", "--endpoints=https://127.0.0.1:2379")
        return self.connection(name).run(sudo(*into, *words, ok=range(256)))

    def conditions(self, name: str) -> dict[str, Any]:
        """A pod's of kube-system."""
        pod = self.world.store.get("Pod", name, "kube-system") or {"status": {}}
        return {each["type"]: each["status"] for each in pod["status"].get("conditions") or []}
