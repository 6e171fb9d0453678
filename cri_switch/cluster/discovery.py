"""Which API version a server serves a kind in, by asking it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cri_switch.model.errors import ApiError

GROUPS = {
    **dict.fromkeys(
        (
            "Node", "Pod", "Namespace", "ReplicationController", "PersistentVolume", "PersistentVolumeClaim",
            "Service", "Endpoints", "Event", "ConfigMap", "ServiceAccount", "Secret",
        ),
        "",
    ),
    **dict.fromkeys(("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"), "apps"),
    **dict.fromkeys(("Job", "CronJob"), "batch"),
    "PodDisruptionBudget": "policy",
    "VolumeAttachment": "storage.k8s.io",
    "StorageClass": "storage.k8s.io",
    "Lease": "coordination.k8s.io",
    "SelfSubjectAccessReview": "authorization.k8s.io",
}  # fmt: skip


@dataclass(frozen=True)
class Resource:
    """Where a kind is served."""

    kind: str
    group_version: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        """The path of a collection (no name) or an object; without a namespace it is all namespaces."""
        root = f"/apis/{self.group_version}" if "/" in self.group_version else f"/api/{self.group_version}"
        parts = [root]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)


@dataclass
class Discovery:
    """Asks each group once and remembers; safe in threads. `read` answers the JSON of a path or raises ApiError."""

    read: Callable[[str], Any]
    _known: dict[str, Resource] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def resource(self, kind: str) -> Resource:
        """Where `kind` (`Pod`, or `Widget.example.com` for a kind outside the table) is served.

        Raises:
            ApiError: this server does not serve it. That is never "there are none".
        """
        with self._lock:
            if kind not in self._known:
                self._known[kind] = self._find(kind)
            return self._known[kind]

    def eviction_version(self) -> str:
        """The Eviction's API version by the pods/eviction subresource: policy/v1beta1 up to 1.21, then policy/v1."""
        for resource in self.read("/api/v1").get("resources", []):
            if resource["name"] == "pods/eviction" and resource.get("kind") == "Eviction":
                return f"{resource.get('group') or 'policy'}/{resource.get('version') or 'v1beta1'}"
        raise ApiError(
            "this server has no eviction subresource for pods",
            next_step="set spec.drain.disable_eviction: true (it bypasses PodDisruptionBudgets)",
        )

    def _find(self, kind: str) -> Resource:
        name, _, group = kind.partition(".")
        group = group or GROUPS.get(name, "")
        versions = ["v1"]
        if group:
            answer = self.read(f"/apis/{group}")
            preferred = (answer.get("preferredVersion") or {}).get("groupVersion")
            versions = sorted((v["groupVersion"] for v in answer["versions"]), key=lambda v: v != preferred)
        for version in versions:
            for found in self.read(f"/apis/{version}" if group else f"/api/{version}").get("resources", []):
                if found["kind"] == name and "/" not in found["name"]:
                    return Resource(name, version, found["name"], found["namespaced"])
        raise ApiError(f"this server does not serve {kind} (asked {', '.join(versions)})", status=404)
