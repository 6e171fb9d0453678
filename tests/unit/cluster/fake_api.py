"""An API server in memory, for tests: objects, discovery of 1.20 or 1.25, evictions, patches, conflicts."""

from __future__ import annotations

import copy
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.retry import Caller
from cri_switch.cluster.transport import Answer, Request
from cri_switch.model.node_ref import NodeRef

Obj = dict[str, Any]
CORE = {
    "nodes": ("Node", False), "namespaces": ("Namespace", False), "pods": ("Pod", True),
    "events": ("Event", True),
    "persistentvolumes": ("PersistentVolume", False), "persistentvolumeclaims": ("PersistentVolumeClaim", True),
    "replicationcontrollers": ("ReplicationController", True),
}  # fmt: skip
APPS = {f"{kind.lower()}s": (kind, True) for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")}
PDB = {"poddisruptionbudgets": ("PodDisruptionBudget", True)}
JOB, CRON = {"jobs": ("Job", True)}, {"cronjobs": ("CronJob", True)}
LEASES = {"coordination.k8s.io/v1": {"leases": ("Lease", True)}}
VOLUMES = {"volumeattachments": ("VolumeAttachment", False)}
SERVED = {
    "1.20": {
        "v1": CORE, "apps/v1": APPS, "batch/v1": JOB, "batch/v1beta1": CRON, "policy/v1beta1": PDB,
        "storage.k8s.io/v1": VOLUMES, **LEASES,
    },
    "1.25": {
        "v1": CORE, "apps/v1": APPS, "batch/v1": JOB | CRON, "policy/v1": PDB, "storage.k8s.io/v1": VOLUMES, **LEASES,
    },
}  # fmt: skip


class FakeApi:
    """A `Send`: call it with a Request. `answers` are asked first; the first Answer that is not None counts."""

    def __init__(self, version: str = "1.20") -> None:
        self.version = version
        self.served = SERVED[version]
        self.objects: dict[tuple[str, str, str], Obj] = {}
        self.requests: list[Request] = []
        self.answers: list[Callable[[Request], Answer | None]] = []
        self.numbers = itertools.count(100)
        self.lock = threading.RLock()
        self.add("namespaces", {"metadata": {"name": "kube-system", "uid": "cluster-uid"}})

    def add(self, plural: str, obj: Obj) -> Obj:
        with self.lock:
            metadata = obj["metadata"]
            kind = next(k[plural][0] for k in self.served.values() if plural in k)
            obj.setdefault("kind", kind)
            metadata.setdefault("uid", f"uid-{metadata['name']}")
            metadata["resourceVersion"] = str(next(self.numbers))
            self.objects[plural, metadata.get("namespace", ""), metadata["name"]] = obj
            return obj

    def remove(self, plural: str, namespace: str, name: str) -> None:
        with self.lock:
            del self.objects[plural, namespace, name]

    def writes(self) -> list[str]:
        return [str(request) for request in self.requests if request.method != "GET"]

    def __call__(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            for answer in self.answers:
                if (found := answer(request)) is not None:
                    return found
            return self._serve(request)

    def _serve(self, request: Request) -> Answer:
        path = request.path.strip("/").split("/")
        if request.path == "/version":
            return ok({"gitVersion": f"v{self.version}.2"})
        if request.path == "/readyz":
            return Answer(200, "ok")
        if path[0] == "apis" and len(path) == 2:
            versions = [gv for gv in self.served if gv.startswith(f"{path[1]}/")]
            if not versions:
                return Answer(404, "404 page not found\n")
            listed = [{"groupVersion": gv, "version": gv.split("/")[1]} for gv in versions]
            return ok({"versions": listed, "preferredVersion": listed[0]})
        size = 2 if path[0] == "api" else 3
        group_version = "/".join(path[1:size])
        if group_version not in self.served:
            return Answer(404, "404 page not found\n")
        if len(path) == size:
            return ok({"resources": self._resources(group_version)})
        rest = path[size:]
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        if rest[0] not in self.served[group_version]:
            return Answer(404, "404 page not found\n")
        return self._object(request, rest[0], namespace, rest[1:])

    def _resources(self, group_version: str) -> list[Obj]:
        listed: list[Obj] = [
            {"name": plural, "kind": kind, "namespaced": namespaced}
            for plural, (kind, namespaced) in self.served[group_version].items()
        ]
        if group_version == "v1":
            version = "v1beta1" if self.version == "1.20" else "v1"
            subresource = {"name": "pods/eviction", "kind": "Eviction", "group": "policy", "version": version}
            listed.append({**subresource, "namespaced": True})
        return listed

    def _object(self, request: Request, plural: str, namespace: str, rest: list[str]) -> Answer:
        if not rest:
            return (
                self._create(request, plural, namespace)
                if request.method == "POST"
                else self._list(request, plural, namespace)
            )
        key = (plural, namespace, rest[0])
        found = self.objects.get(key)
        if found is None:
            return status(404, "NotFound", f'{plural} "{rest[0]}" not found', details={"name": rest[0]})
        if rest[1:] == ["eviction"]:
            found["metadata"]["deletionTimestamp"] = "2026-11-23T18:00:00Z"
            del self.objects[key]
            return ok({"kind": "Status", "status": "Success"})
        if request.method == "DELETE":
            wanted = (request.body.get("preconditions") or {}).get("uid")
            if wanted and wanted != found["metadata"]["uid"]:
                return status(409, "Conflict", "the UID in the precondition does not match")
            del self.objects[key]
            return ok({"kind": "Status", "status": "Success"})
        if request.method == "PATCH":
            version = (request.body.get("metadata") or {}).pop("resourceVersion", None)
            if version and version != found["metadata"]["resourceVersion"]:
                return status(409, "Conflict", "the object has been modified")
            merge(found, request.body)
            found["metadata"]["resourceVersion"] = str(next(self.numbers))
        return ok(found)

    def _create(self, request: Request, plural: str, namespace: str) -> Answer:
        body = copy.deepcopy(request.body)
        body["metadata"].setdefault("namespace", namespace)
        body["metadata"].setdefault("creationTimestamp", "2026-11-23T18:00:00Z")
        return Answer(201, json.dumps(self.add(plural, body)))

    def _list(self, request: Request, plural: str, namespace: str) -> Answer:
        query = dict(request.query)
        items = [
            o for (p, n, _), o in sorted(self.objects.items()) if p == plural and (not namespace or n == namespace)
        ]
        if node := query.get("fieldSelector", "").removeprefix("spec.nodeName="):
            items = [o for o in items if o["spec"].get("nodeName") == node]
        if labels := query.get("labelSelector"):
            wanted = dict(part.split("=") for part in labels.split(","))
            items = [o for o in items if wanted.items() <= (o["metadata"].get("labels") or {}).items()]
        start, limit = int(query.get("continue", "0")), int(query.get("limit", "1000000"))
        more = {"continue": str(start + limit)} if start + limit < len(items) else {}
        bare = [{k: v for k, v in o.items() if k not in ("kind", "apiVersion")} for o in items[start : start + limit]]
        return ok({"items": bare, "metadata": more})


def merge(target: Obj, patch: Obj) -> None:
    """A JSON merge patch (RFC 7396)."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            if not isinstance(target.get(key), dict):
                target[key] = {}
            merge(target[key], value)
        else:
            target[key] = value


def ok(body: Any) -> Answer:
    return Answer(200, json.dumps(body))


def status(code: int, reason: str, message: str, details: Obj | None = None) -> Answer:
    body = {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code}
    return Answer(code, json.dumps({**body, "details": details or {}}))


class Clock:
    """Time that passes only by sleeping; `at` runs something when its time has come."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.events: list[tuple[float, Callable[[], object]]] = []
        self.slept: list[float] = []

    def at(self, seconds: float, call: Callable[[], object]) -> None:
        self.events.append((1000.0 + seconds, call))

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += max(seconds, 0.001)
        for event in [e for e in self.events if e[0] <= self.now]:
            self.events.remove(event)
            event[1]()


def cluster(api: FakeApi) -> Cluster:
    """A client whose own retries take no real time."""
    clock = Clock()
    return Cluster(api, caller=Caller(api, "/etc/k.conf", sleep=clock.sleep, clock=clock))


def add_node(api: FakeApi, name: str = "w1", **spec: Any) -> NodeRef:
    condition = {"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-11-23T18:00:00Z"}
    api.add(
        "nodes",
        {
            "metadata": {"name": name},
            "spec": {"podCIDRs": ["10.244.1.0/24"], **spec},
            "status": {"conditions": [condition], "nodeInfo": {"containerRuntimeVersion": "docker://20.10.5"}},
        },
    )
    return NodeRef(name=name, uid=f"uid-{name}", pod_cidrs=("10.244.1.0/24",))


def pod(
    name: str,
    *,
    owner: str = "ReplicaSet/web-5d",
    namespace: str = "lab",
    node: str = "w1",
    phase: str = "Running",
    ready: bool = True,
    runtime: str = "docker",
    mirror: bool = False,
    empty_dir: bool = False,
    claim: str = "",
    labels: dict[str, str] | None = None,
) -> Obj:
    kind, _, owner_name = owner.partition("/")
    metadata: Obj = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "labels": labels or {}}
    if owner:
        metadata["ownerReferences"] = [{"kind": kind, "name": owner_name, "controller": True}]
    if mirror:
        metadata["annotations"] = {"kubernetes.io/config.mirror": "hash"}
    volumes: list[Obj] = [{"name": "e", "emptyDir": {}}] if empty_dir else []
    if claim:
        volumes.append({"name": "c", "persistentVolumeClaim": {"claimName": claim}})
    container = {"name": "c", "containerID": f"{runtime}://0123", "state": {"running": {}}, "ready": ready}
    return {
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"nodeName": node, "containers": [{"name": "c"}], "volumes": volumes},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [container],
        },
    }


@contextmanager
def over_http(api: FakeApi) -> Iterator[str]:
    """The same server behind real HTTP; its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if self.headers.get("Authorization") != "Bearer secret-token":
                answer = status(401, "Unauthorized", "Unauthorized")
            else:
                content_type = self.headers.get("Content-Type", "")
                answer = api(Request(self.command, url.path, tuple(parse_qsl(url.query)), body, content_type))
            data = answer.text.encode()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
