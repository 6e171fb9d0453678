"""The garbage collector."""

from __future__ import annotations

from cri_switch.rehearsal.pods_of import going
from cri_switch.rehearsal.store import Missing, Store


def collect_garbage(store: Store) -> None:
    """Objects whose controller is gone go too."""
    alive = {
        obj["metadata"]["uid"]
        for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Node")
        for obj in store.peek(kind)
    }
    for kind in ("ReplicaSet", "Pod"):
        for obj in store.peek(kind):
            owners = obj["metadata"].get("ownerReferences") or []
            if owners and not going(obj) and all(o["uid"] not in alive for o in owners):
                try:
                    store.delete(kind, obj["metadata"]["name"], obj["metadata"].get("namespace", ""))
                except Missing:
                    continue
