"""What each Kubernetes release serves, and its discovery answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Obj = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind as one release serves it; `first` and `last` are minor releases of 1.x."""

    kind: str
    plural: str
    group: str
    version: str
    namespaced: bool
    first: int = 0
    last: int = 999

    @property
    def group_version(self) -> str:
        """`v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version


_V = "v1"
KINDS = (
    Kind("Node", "nodes", "", _V, False),
    Kind("Namespace", "namespaces", "", _V, False),
    Kind("PersistentVolume", "persistentvolumes", "", _V, False),
    Kind("Pod", "pods", "", _V, True),
    Kind("PersistentVolumeClaim", "persistentvolumeclaims", "", _V, True),
    Kind("ReplicationController", "replicationcontrollers", "", _V, True),
    Kind("ConfigMap", "configmaps", "", _V, True),
    Kind("Event", "events", "", _V, True),
    Kind("Service", "services", "", _V, True),
    Kind("DaemonSet", "daemonsets", "apps", _V, True),
    Kind("Deployment", "deployments", "apps", _V, True),
    Kind("ReplicaSet", "replicasets", "apps", _V, True),
    Kind("StatefulSet", "statefulsets", "apps", _V, True),
    Kind("Job", "jobs", "batch", _V, True),
    Kind("CronJob", "cronjobs", "batch", "v1", True, first=21),
    Kind("CronJob", "cronjobs", "batch", "v1beta1", True, last=24),
    Kind("PodDisruptionBudget", "poddisruptionbudgets", "policy", "v1", True, first=21),
    Kind("PodDisruptionBudget", "poddisruptionbudgets", "policy", "v1beta1", True, last=24),
    Kind("VolumeAttachment", "volumeattachments", "storage.k8s.io", _V, False),
    Kind("StorageClass", "storageclasses", "storage.k8s.io", _V, False),
    Kind("Lease", "leases", "coordination.k8s.io", _V, True),
    Kind("SelfSubjectAccessReview", "selfsubjectaccessreviews", "authorization.k8s.io", _V, False),
)


def minor_of(release: str) -> int:
    """20 of `v1.20.2`."""
    return int(release.lstrip("v").split(".")[1])


class Served:
    """The kinds of one release."""

    def __init__(self, release: str) -> None:
        self.release = release
        self.minor = minor_of(release)
        self.kinds = tuple(kind for kind in KINDS if kind.first <= self.minor <= kind.last)

    def find(self, group_version: str, plural: str) -> Kind | None:
        """The kind behind a path's parts."""
        return next((k for k in self.kinds if k.group_version == group_version and k.plural == plural), None)

    def groups(self) -> list[str]:
        """Every group with a name."""
        return sorted({kind.group for kind in self.kinds if kind.group})

    def group(self, name: str) -> Obj | None:
        """`/apis/NAME`."""
        versions = sorted({kind.version for kind in self.kinds if kind.group == name})  # v1 sorts before v1beta1
        if not versions:
            return None
        listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
        return {
            "kind": "APIGroup",
            "apiVersion": "v1",
            "name": name,
            "versions": listed,
            "preferredVersion": listed[0],
        }

    def resources(self, group_version: str) -> Obj | None:
        """`/api/v1`, `/apis/GROUP/VERSION`."""
        verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        found: list[Obj] = [
            {"name": k.plural, "singularName": "", "namespaced": k.namespaced, "kind": k.kind, "verbs": verbs}
            for k in self.kinds
            if k.group_version == group_version
        ]
        if not found:
            return None
        if group_version == "v1":
            # The eviction's own version came with 1.22 (KEP-85).
            version = "v1" if self.minor >= 22 else "v1beta1"
            found.append(
                {
                    "name": "pods/eviction",
                    "singularName": "",
                    "namespaced": True,
                    "group": "policy",
                    "version": version,
                    "kind": "Eviction",
                    "verbs": ["create"],
                }
            )
        return {"kind": "APIResourceList", "groupVersion": group_version, "resources": found}
