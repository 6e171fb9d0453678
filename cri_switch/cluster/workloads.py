"""Whose pods run on a node: what is noted before a switch, to be compared after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from cri_switch.cluster import pods
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.controller_status import ready_of
from cri_switch.model.node_ref import NodeRef

COUNTED = ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController", "Job")
"""Kinds of which it can be told whether a lost pod is there again."""


class Controller(BaseModel):
    """A controller, with how many of its pods were ready when it was noted (None: not noted)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: str
    kind: str
    name: str
    ready: int | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it."""
        return self.namespace, self.kind, self.name


class OwnPod(BaseModel):
    """A pod that belongs on the node: a DaemonSet's (named by the DaemonSet) or a static one (by the pod)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: str
    kind: str
    name: str
    ready: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Owners:
    """Finds a pod's controller, a ReplicaSet's Deployment behind it; each ReplicaSet is asked for once."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._known: dict[tuple[str, str], tuple[str, str]] = {}

    def top(self, namespace: str, kind: str, name: str) -> tuple[str, str]:
        """(kind, name) of what a controller reference leads to in the end."""
        if kind != "ReplicaSet":
            return kind, name
        if (namespace, name) not in self._known:
            found = self.cluster.get("ReplicaSet", name, namespace)
            owner = pods.controller(found) if found else None
            self._known[namespace, name] = (owner["kind"], owner["name"]) if owner else (kind, name)
        return self._known[namespace, name]

    def of(self, pod: Obj) -> tuple[str, str, str] | None:
        """(namespace, kind, name) of a pod's controller; None for a pod without one."""
        owner, namespace = pods.controller(pod), str(pod["metadata"]["namespace"])
        return (namespace, *self.top(namespace, owner["kind"], owner["name"])) if owner else None


def controllers_on(cluster: Cluster, node: NodeRef) -> dict[str, Any]:
    """What has pods on a node now, as JSON data: `controllers` (see Controller) and `own_pods` (see OwnPod)."""
    owners, found, own = Owners(cluster), set[tuple[str, str, str]](), list[OwnPod]()
    for pod in cluster.list("Pod", fields=f"spec.nodeName={node.name}"):
        if pods.is_finished(pod) or pod["metadata"].get("deletionTimestamp"):
            continue
        if mine := own_pod(pod):
            own.append(mine)
        elif (key := owners.of(pod)) and key[1] in COUNTED:
            found.add(key)
    return {
        "controllers": [noted(cluster, key).model_dump(mode="json") for key in sorted(found)],
        "own_pods": [mine.model_dump(mode="json") for mine in own],
    }


def with_earlier(now: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """What `controllers_on` noted now, and what it had noted before an earlier attempt took the node out: pure.

    A node whose drain or reboot lies behind it has lost its controllers' pods, and its own are not ready.
    """
    counts, ready = dict[tuple[str, str, str], Controller](), dict[tuple[str, str, str], OwnPod]()
    for noted_then in (earlier, now):
        for one in map(Controller.model_validate, noted_then.get("controllers", ())):
            known = counts.get(one.key)
            if known is None or known.ready is None or (one.ready or 0) > known.ready:
                counts[one.key] = one
        for mine in map(OwnPod.model_validate, noted_then.get("own_pods", ())):
            key = (mine.namespace, mine.kind, mine.name)
            if key not in ready or mine.ready:
                ready[key] = mine
    return {
        "controllers": [counts[key].model_dump(mode="json") for key in sorted(counts)],
        "own_pods": [mine.model_dump(mode="json") for mine in ready.values()],
    }


def own_pod(pod: Obj) -> OwnPod | None:
    """A DaemonSet's or a static pod as what it is on its node; None for any other."""
    metadata, owner = pod["metadata"], pods.controller(pod)
    if pods.is_mirror(pod):
        return OwnPod(namespace=metadata["namespace"], kind="Pod", name=metadata["name"], ready=pods.is_ready(pod))
    if owner and owner["kind"] == "DaemonSet":
        return OwnPod(namespace=metadata["namespace"], kind="DaemonSet", name=owner["name"], ready=pods.is_ready(pod))
    return None


def noted(cluster: Cluster, key: tuple[str, str, str]) -> Controller:
    """A controller with its ready count now."""
    namespace, kind, name = key
    found = cluster.get(kind, name, namespace)
    return Controller(namespace=namespace, kind=kind, name=name, ready=ready_of(found) if found else None)
