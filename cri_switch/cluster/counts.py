"""How many pods each controller wants and has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from cri_switch.cluster import pods
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.controller_status import ready_of, wanted_of

KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")


class Count(BaseModel):
    """One controller: pods wanted and ready."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: str
    kind: str
    name: str
    wanted: int
    ready: int

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def counts(cluster: Cluster) -> tuple[Count, ...]:
    """Every controller that no other controls. Raises ApiError, Unreachable."""
    return tuple(_count(found) for kind in KINDS for found in cluster.list(kind) if pods.controller(found) is None)


def unready(
    before: Iterable[Count], after: Iterable[Count], left: Mapping[tuple[str, str, str], int] | None = None
) -> list[str]:
    """What was whole, or further on, and is not now: pure. No more is asked than there was, nor than is wanted now.

    `left`: how many pods of (namespace, kind, name) nobody waits for.
    """
    now = {str(count): count for count in after}
    lines = []
    for old in before:
        new = now.get(str(old))
        wanted = min(old.ready, old.wanted, new.wanted) if new else 0
        wanted -= (left or {}).get((old.namespace, old.kind, old.name), 0)
        if new and new.ready < wanted:
            lines.append(f"{old}: {new.ready} of {new.wanted} ready, {old.ready} before")
    return lines


def _count(found: Obj) -> Count:
    status, metadata = found.get("status") or {}, found["metadata"]
    if found["kind"] == "DaemonSet":
        wanted, ready = status.get("desiredNumberScheduled"), status.get("numberReady")
    else:
        wanted, ready = wanted_of(found), ready_of(found)
    return Count(
        namespace=metadata["namespace"],
        kind=found["kind"],
        name=metadata["name"],
        wanted=int(wanted or 0),
        ready=int(ready or 0),
    )
