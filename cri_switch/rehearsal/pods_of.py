"""What controllers ask of pods: pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Obj = dict[str, Any]


def owner(obj: Obj) -> Obj | None:
    """The owner reference that is its controller."""
    return next((o for o in obj["metadata"].get("ownerReferences") or [] if o.get("controller")), None)


def owned(pods: Iterable[Obj], uid: str) -> list[Obj]:
    """Those whose controller is `uid`."""
    return [pod for pod in pods if (found := owner(pod)) and found["uid"] == uid]


def reference(kind: str, api_version: str, obj: Obj) -> Obj:
    """An owner reference to a controller."""
    metadata = obj["metadata"]
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def ready(obj: Obj) -> bool:
    """Whether the condition Ready of a pod or node is True."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def ended(pod: Obj) -> bool:
    """Whether it ran to its end."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def going(obj: Obj) -> bool:
    """Whether it was deleted and is not gone yet."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def active(pod: Obj) -> bool:
    """Whether a controller counts it."""
    return not ended(pod) and not going(pod)


def own(pods: Iterable[Obj], node: str) -> list[Obj]:
    """A node's pods that no other can run: static ones and those of DaemonSets."""
    here = [pod for pod in pods if pod["spec"].get("nodeName") == node and active(pod)]
    return [pod for pod in here if (owner(pod) or {}).get("kind") in ("Node", "DaemonSet")]


def tolerates(pod: Obj, taint: Obj) -> bool:
    """Whether one of the pod's tolerations fits a taint."""
    for each in pod["spec"].get("tolerations") or []:
        if each.get("effect") not in (None, "", taint["effect"]):
            continue
        if each.get("operator", "Equal") == "Exists":
            if each.get("key") in (None, "", taint["key"]):
                return True
        elif each.get("key") == taint["key"] and each.get("value", "") == taint.get("value", ""):
            return True
    return False
