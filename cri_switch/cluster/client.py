"""The Kubernetes API as plain JSON dicts, with API versions by discovery."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from cri_switch.cluster.discovery import Discovery
from cri_switch.cluster.retry import Caller, Manner
from cri_switch.cluster.transport import Request, Send, sender
from cri_switch.model.errors import ApiError
from cri_switch.model.migration import ClusterAccess

Obj = dict[str, Any]
"""An API object as its JSON."""

PatchKind = Literal["merge", "json", "strategic"]
_PATCH_TYPE: Mapping[PatchKind, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
_PAGE = 500

_POLL_PATIENCE = 0.5
"""Seconds: long enough for a second try, and no third."""


class Cluster:
    """One cluster's API; threads may share it.

    Every request has deadlines of its own (5 s to connect, 30 s to answer). Reads are repeated for up to `patience`
    seconds while the server is away, and so are deletions and patches that the caller calls repeatable; any other
    mutation only if the server surely did not carry it out. Every method raises ApiError (refused) and Unreachable (no
    answer). The kubernetes package's own DynamicClient is not used: it keeps its discovery in a shared temporary file
    named by the server's address, which another cluster may have had before.
    """

    def __init__(
        self,
        send: Send,
        *,
        kubeconfig: str = "",
        patience: float = 20.0,
        caller: Caller | None = None,
        dry_run: bool = False,
    ) -> None:
        self.dry_run = dry_run
        self.kubeconfig = kubeconfig
        self._send = send
        self._caller = caller or Caller(send, kubeconfig, patience)
        self._discovery = Discovery(lambda path: self._caller.call(Request("GET", path)))
        self._eviction_version = ""
        self._lock = threading.Lock()

    @classmethod
    def open(cls, access: ClusterAccess, *, dry_run: bool = False) -> Cluster:
        """By a kubeconfig; nothing is asked yet. With `dry_run` the server judges every mutation and stores none.

        Raises SettingsError when it cannot be used.
        """
        return cls(sender(access), kubeconfig=access.kubeconfig, dry_run=dry_run)

    def impatient(self) -> Cluster:
        """The same cluster for a wait that polls: the wait decides how often. A read is sent once more where it fails,
        so that a look of many reads succeeds with an API that fails now and then."""
        twin = copy.copy(self)
        caller = twin._caller = replace(self._caller, patience=_POLL_PATIENCE)
        twin._discovery = replace(self._discovery, read=lambda path: caller.call(Request("GET", path)))
        return twin

    def uid(self) -> str:
        """The UID of namespace kube-system: what identifies the cluster."""
        namespace = self.get("Namespace", "kube-system")
        if namespace is None:
            raise ApiError("this server has no namespace kube-system, so it is no cluster's")
        return str(namespace["metadata"]["uid"])

    def version(self) -> str:
        """The API server's version, `v1.20.2`."""
        return str(self._call("GET", "/version")["gitVersion"])

    def list(self, kind: str, *, namespace: str | None = None, labels: str = "", fields: str = "") -> list[Obj]:
        """All objects of a kind, page by page, each with its apiVersion and kind."""
        resource = self._discovery.resource(kind)
        path = resource.path(namespace)
        selectors = [(k, v) for k, v in (("labelSelector", labels), ("fieldSelector", fields)) if v]
        items: list[Obj] = []
        query = [("limit", str(_PAGE))]
        while True:
            try:
                page = self._call("GET", path, [*selectors, *query])
            except ApiError as problem:
                if problem.status != 410 or len(query) < 2:
                    raise
                items, query = [], []  # the pages' snapshot has expired: all at once then, as client-go does
                continue
            items += page.get("items") or []
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return [{"apiVersion": resource.group_version, "kind": resource.kind, **item} for item in items]
            query = [("limit", str(_PAGE)), ("continue", token)]

    def get(self, kind: str, name: str, namespace: str | None = None) -> Obj | None:
        """One object, or None when this server, which serves the kind, has none of that name."""
        path = self._discovery.resource(kind).path(namespace, name)
        try:
            found: Obj = self._call("GET", path)
        except ApiError as problem:
            if problem.status == 404 and problem.reason == "NotFound":
                return None
            raise
        return found

    def create(self, kind: str, body: Obj, *, namespace: str | None = None) -> Obj:
        """Make an object; apiVersion and kind are filled in. The answer is as the server stored it."""
        resource = self._discovery.resource(kind)
        namespace = namespace or body["metadata"].get("namespace")
        whole = {"apiVersion": resource.group_version, "kind": resource.kind, **body}
        created: Obj = self._call("POST", resource.path(namespace), body=whole, manner="mutation")
        return created

    def ask(self, kind: str, body: Obj) -> Obj:
        """The server's answer to an object that it stores nowhere, such as a SelfSubjectAccessReview: a read."""
        answer: Obj = self._call("POST", self._discovery.resource(kind).path(None), body=body)
        return answer

    def patch(
        self,
        kind: str,
        name: str,
        body: Any,
        *,
        namespace: str | None = None,
        kind_of_patch: PatchKind = "merge",
        again: bool = False,
    ) -> Obj:
        """Change an object; with metadata.resourceVersion in the body, a 409 ApiError if it changed meanwhile.

        `again` says that the caller reads anew after a 409: then what may have been carried out is sent again too.
        """
        path = self._discovery.resource(kind).path(namespace, name)
        content_type = _PATCH_TYPE[kind_of_patch]
        manner: Manner = "repeatable" if again else "mutation"
        patched: Obj = self._call("PATCH", path, body=body, manner=manner, content_type=content_type)
        return patched

    def delete(
        self, kind: str, name: str, namespace: str | None = None, *, uid: str | None = None, grace: int | None = None
    ) -> bool:
        """Ask for an object's deletion, again where the answer is lost; with `uid` only that very object.

        False when it was gone already.
        """
        options: Obj = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            self._call(
                "DELETE", self._discovery.resource(kind).path(namespace, name), body=options, manner="repeatable"
            )
        except ApiError as problem:
            if problem.status == 404 and problem.reason == "NotFound":
                return False
            if uid and problem.status == 409 and self._uid(kind, name, namespace) != uid:
                return False
            raise
        return True

    def evict(self, namespace: str, name: str, grace: int | None = None, *, dry_run: bool = False) -> None:
        """Ask for a pod's eviction, once: 429 (a PodDisruptionBudget says no) is the caller's to wait for."""
        options: Obj = {} if grace is None else {"gracePeriodSeconds": grace}
        if dry_run or self.dry_run:
            options["dryRun"] = ["All"]
        with self._lock:
            self._eviction_version = self._eviction_version or self._discovery.eviction_version()
        body = {
            "apiVersion": self._eviction_version,
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
            "deleteOptions": options,
        }
        path = self._discovery.resource("Pod").path(namespace, name, "eviction")
        self._call("POST", path, body=body, manner="once")

    def raw_get(self, path: str) -> tuple[int, str]:
        """Status and text of a path such as /readyz, asked once. Raises Unreachable."""
        answer = self._send(Request("GET", path))
        return answer.status, answer.text

    def _uid(self, kind: str, name: str, namespace: str | None) -> str:
        found = self.get(kind, name, namespace)
        return "" if found is None else str(found["metadata"]["uid"])

    def _call(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        *,
        body: Any = None,
        manner: Manner = "read",
        content_type: str = "application/json",
    ) -> Any:
        if self.dry_run and manner in ("mutation", "repeatable"):
            query = [*query, ("dryRun", "All")]
        return self._caller.call(Request(method, path, tuple(query), body, content_type), manner)
