"""Persistent volume claims of StatefulSets."""

from __future__ import annotations

from typing import Any

from cri_switch.rehearsal.store import Store

Obj = dict[str, Any]


def claims(store: Store, obj: Obj, pod: str) -> list[Obj]:
    """Volumes of a StatefulSet's pod; each claim is made and bound to a free volume of its class."""
    volumes = []
    for template in obj["spec"].get("volumeClaimTemplates") or []:
        short, namespace = template["metadata"]["name"], obj["metadata"]["namespace"]
        name = f"{short}-{pod}"
        volumes.append({"name": short, "persistentVolumeClaim": {"claimName": name}})
        if store.get("PersistentVolumeClaim", name, namespace):
            continue
        taken = {claim["spec"].get("volumeName") for claim in store.peek("PersistentVolumeClaim")}
        storage = template["spec"].get("storageClassName")
        free = [
            volume["metadata"]["name"]
            for volume in store.peek("PersistentVolume")
            if volume["spec"].get("storageClassName") == storage and volume["metadata"]["name"] not in taken
        ]
        spec = {**template["spec"], **({"volumeName": free[0]} if free else {})}
        status = {"phase": "Bound" if free else "Pending"}
        metadata = {"name": name, "namespace": namespace}
        store.create("PersistentVolumeClaim", {"metadata": metadata, "spec": spec, "status": status})
    return volumes
