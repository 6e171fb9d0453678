"""What the API says of nodes, pods, budgets and our Lease, change by change: recorded from outside, as admin."""

from __future__ import annotations

import http.client
import itertools
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tests.support.client_tls import client_tls, server_of

Obj = dict[str, Any]
PATHS = {
    "Node": "/api/v1/nodes",
    "Pod": "/api/v1/pods",
    "PodDisruptionBudget": "/apis/policy/v1beta1/poddisruptionbudgets",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases?fieldSelector=metadata.name%3Dcri-switch",
}
_WATCH = 5
"""Seconds after which the server ends a watch: the next goes on where it ended."""
_GONE = 410


class TooOld(Exception):
    """The server does not go back to that version: list anew."""


@dataclass
class Recording:
    """A file of JSON lines while it is written: `{time, type, kind, version, object}`, and `objects` for a LIST."""

    path: Path
    problems: list[str] = field(default_factory=list)

    def lines(self) -> list[Obj]:
        """All that are whole: the last may be on its way."""
        return [json.loads(line) for line in self.path.read_text().rpartition("\n")[0].splitlines()]

    def holders(self) -> list[str]:
        """Who held the Lease, one after the other; "" is nobody."""
        found = [each["object"]["holder"] for each in self._leases()]
        return [each for each, before in zip(found, [None, *found], strict=False) if each != before]

    def longest_unrenewed(self) -> float:
        """Seconds of the longest time between two renewals by one holder, by the times that it wrote itself."""
        found = [each["object"] for each in self._leases() if each["object"]["holder"]]
        times = [(each["holder"], datetime.fromisoformat(each["renewed"])) for each in found]
        pairs = itertools.pairwise(times)
        return max(((b - a).total_seconds() for (one, a), (other, b) in pairs if one == other), default=0.0)

    def _leases(self) -> list[Obj]:
        return [line for line in self.lines() if line["kind"] == "Lease" and line["type"] in ("ADDED", "MODIFIED")]


@contextmanager
def recorded(kubeconfig: Path, path: Path, *, cut: bool = False) -> Iterator[Recording]:
    """Record from before the block until all that happened in it is there; `cut`: or until the API is away at its end.

    Raises:
        AssertionError: the recorder did not begin, or broke: silence would look like peace.
    """
    recording, end = Recording(path), threading.Event()
    with path.open("w") as out:
        kinds = [_Kind(kind, kubeconfig, out, end, recording.problems, cut=cut) for kind in PATHS]
        for kind in kinds:
            kind.thread.start()
        try:
            assert all(kind.listed.wait(60) for kind in kinds), f"the API could not be listed: {recording.problems}"
            yield recording
        finally:
            end.set()
            for kind in kinds:
                kind.thread.join(120)
    broken = [kind.kind for kind in kinds if not kind.complete and not cut]
    assert not broken, f"not recorded to the end: {broken}; {recording.problems}"


class _Kind:
    """One kind's changes, in the order of their versions."""

    _lock = threading.Lock()

    def __init__(
        self, kind: str, kubeconfig: Path, out: IO[str], end: threading.Event, problems: list[str], *, cut: bool = False
    ) -> None:
        self.kind, self._out, self._end, self._problems, self._cut = kind, out, end, problems, cut
        self._tls: ssl.SSLContext = client_tls(kubeconfig)
        server = urlsplit(server_of(kubeconfig))
        self._host, self._port = str(server.hostname), server.port or 443
        self._version = ""
        self.listed, self.complete = threading.Event(), False
        self.thread = threading.Thread(target=self._follow, name=f"recording {kind}")

    def _follow(self) -> None:
        """An API that is away is asked again; the last watch begins after the end was asked for."""
        patience = time.monotonic() + 100
        while True:
            last = self._end.is_set()
            try:
                if not self._version:
                    self._list()
                self._watch(1 if last else _WATCH)
            except TooOld:
                self._version = ""
                continue
            except (OSError, http.client.HTTPException, ValueError) as problem:
                self._problems.append(f"{_now()} {self.kind}: {type(problem).__name__}: {problem}")
                if last and (self._cut or time.monotonic() > patience):
                    return
                time.sleep(0.2)
                continue
            if last:
                self.complete = True
                return
            patience = time.monotonic() + 100

    def _list(self) -> None:
        with _Answer(self, PATHS[self.kind]) as answer:
            found = json.load(answer)
        self._version = str(found["metadata"]["resourceVersion"])
        self._write({"type": "LIST", "objects": [trimmed(self.kind, item) for item in found["items"]]})
        self.listed.set()

    def _watch(self, seconds: int) -> None:
        start = f"{PATHS[self.kind]}{'&' if '?' in PATHS[self.kind] else '?'}"
        query = f"watch=true&allowWatchBookmarks=true&resourceVersion={self._version}&timeoutSeconds={seconds}"
        with _Answer(self, start + query) as answer:
            for line in answer:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    if event["object"].get("code") == _GONE:
                        raise TooOld
                    raise ValueError(str(event["object"].get("message")))
                self._version = str(event["object"]["metadata"]["resourceVersion"])
                if event["type"] != "BOOKMARK":
                    self._write({"type": event["type"], "object": trimmed(self.kind, event["object"])})

    def _write(self, line: Obj) -> None:
        head = {"time": _now(), "kind": self.kind, "version": int(self._version)}
        with self._lock:
            self._out.write(json.dumps(head | line) + "\n")
            self._out.flush()


class _Answer:
    """One request on a connection of its own."""

    def __init__(self, kind: _Kind, path: str) -> None:
        self._connection = http.client.HTTPSConnection(kind._host, kind._port, timeout=20, context=kind._tls)
        self._path = path

    def __enter__(self) -> http.client.HTTPResponse:
        try:
            self._connection.request("GET", self._path)
            answer = self._connection.getresponse()
            _check(answer.status)
        except BaseException:
            self._connection.close()
            raise
        return answer

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _check(status: int) -> None:
    if status == _GONE:
        raise TooOld
    if status != http.client.OK:
        raise ValueError(f"status {status}")


def trimmed(kind: str, found: Obj) -> Obj:
    """What the invariants are about, and no more."""
    metadata, spec, status = found["metadata"], found.get("spec") or {}, found.get("status") or {}
    name = metadata["name"]
    if kind == "Node":
        return {
            "name": name,
            "control_plane": any(key.startswith("node-role.kubernetes.io/") for key in metadata.get("labels", {})),
            "unschedulable": bool(spec.get("unschedulable")),
            "taints": sorted(f"{t['key']}={t.get('value', '')}:{t['effect']}" for t in spec.get("taints") or []),
            "begun": "cri-switch.io/migrating" in (metadata.get("annotations") or {}),
            "ours": "cri-switch.io/cordoned-by" in (metadata.get("annotations") or {}),
            "ready": _ready(status),
            "runtime": (status.get("nodeInfo") or {}).get("containerRuntimeVersion", ""),
        }
    if kind == "Lease":
        return {"holder": spec.get("holderIdentity") or "", "renewed": spec.get("renewTime") or ""}
    place = {"name": name, "namespace": metadata["namespace"]}
    if kind == "PodDisruptionBudget":
        return place | {"selector": spec.get("selector"), "desired": int(status.get("desiredHealthy") or 0)}
    owner = next((each["kind"] for each in metadata.get("ownerReferences") or [] if each.get("controller")), "")
    return place | {
        "uid": metadata["uid"],
        "node": spec.get("nodeName", ""),
        "labels": metadata.get("labels") or {},
        "owner": owner,
        "mirror": "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}),
        "phase": status.get("phase", ""),
        "ready": _ready(status),
        "going": bool(metadata.get("deletionTimestamp")),
    }


def _ready(status: Obj) -> bool:
    conditions: list[Obj] = status.get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
