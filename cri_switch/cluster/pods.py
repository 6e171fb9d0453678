"""What a pod's JSON says: pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from cri_switch.cluster.client import Obj

MIRROR = "kubernetes.io/config.mirror"


class EvictedPod(BaseModel):
    """A pod that a drain took away, with what is needed to see later that its controller is whole again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: str
    name: str
    uid: str
    owner_kind: str = ""
    owner_name: str = ""
    claims: tuple[str, ...] = ()
    """PersistentVolumeClaims that it used."""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    def as_dict(self) -> dict[str, Any]:
        """JSON data, for a step's result."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> EvictedPod:
        """From `as_dict`."""
        return cls.model_validate(data)


def title(pod: Obj) -> str:
    """`namespace/name`."""
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def controller(obj: Obj) -> Obj | None:
    """The owner reference that is the object's controller."""
    references: list[Obj] = obj["metadata"].get("ownerReferences") or []
    return next((reference for reference in references if reference.get("controller")), None)


def is_mirror(pod: Obj) -> bool:
    """Whether it is the API's image of a static pod."""
    return MIRROR in (pod["metadata"].get("annotations") or {})


def is_finished(pod: Obj) -> bool:
    """Whether it has run to its end, well or not."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_ready(pod: Obj) -> bool:
    """Whether its condition Ready is True."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def has_local_storage(pod: Obj) -> bool:
    """Whether it has an emptyDir volume."""
    return any(volume.get("emptyDir") is not None for volume in pod["spec"].get("volumes") or [])


def claims(pod: Obj) -> tuple[str, ...]:
    """Names of the PersistentVolumeClaims that it uses."""
    volumes = pod["spec"].get("volumes") or []
    return tuple(v["persistentVolumeClaim"]["claimName"] for v in volumes if v.get("persistentVolumeClaim"))


def container_statuses(pod: Obj) -> Iterator[Obj]:
    """Statuses of its containers, init containers not counted."""
    yield from (pod.get("status") or {}).get("containerStatuses") or []


def epoch(timestamp: str) -> float:
    """Seconds since the epoch of an API timestamp, `2026-11-23T18:00:00Z`."""
    return datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def evicted(pod: Obj) -> EvictedPod:
    """What is remembered of a pod that a drain takes away."""
    metadata: dict[str, Any] = pod["metadata"]
    owner = controller(pod) or {}
    return EvictedPod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        owner_kind=owner.get("kind", ""),
        owner_name=owner.get("name", ""),
        claims=claims(pod),
    )
