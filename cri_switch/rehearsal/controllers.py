"""The controllers of workloads: Deployment, ReplicaSet, StatefulSet, DaemonSet, Job."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

from cri_switch.rehearsal.claims import claims
from cri_switch.rehearsal.daemon_sets import HASH, TOLERATIONS, wish
from cri_switch.rehearsal.pods_of import active, ended, going, owned, ready, reference
from cri_switch.rehearsal.store import Store

Obj = dict[str, Any]


class Controllers:
    """One `step` brings every controller's pods and status to where they belong."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pods: list[Obj] = []

    def step(self) -> None:
        """All of them, once; call it under the store's lock."""
        self._pods = self._store.peek("Pod")
        for kind, control in (
            ("Deployment", self._deployment),
            ("ReplicaSet", self._replica_set),
            ("StatefulSet", self._stateful_set),
            ("DaemonSet", self._daemon_set),
            ("Job", self._job),
        ):
            for obj in self._store.peek(kind):
                if not going(obj):
                    status = control(obj)
                    status["observedGeneration"] = obj["metadata"].get("generation", 1)
                    self._status(kind, obj, status)

    def _status(self, kind: str, obj: Obj, status: Obj) -> None:
        if {**(obj.get("status") or {}), **status} != obj.get("status"):

            def change(found: Obj) -> None:
                found["status"] = {**(found.get("status") or {}), **status}

            self._store.change(kind, obj["metadata"]["name"], obj["metadata"].get("namespace", ""), change)

    def _deployment(self, obj: Obj) -> Obj:
        metadata, spec = obj["metadata"], obj["spec"]
        digest = hashlib.sha256(json.dumps(spec["template"], sort_keys=True).encode()).hexdigest()[:10]
        name, namespace = f"{metadata['name']}-{digest}", metadata["namespace"]
        found = self._store.get("ReplicaSet", name, namespace)
        if found is None:
            labels = {**spec["selector"]["matchLabels"], "pod-template-hash": digest}
            template = copy.deepcopy(spec["template"])
            template["metadata"] = {**template.get("metadata", {}), "labels": labels}
            body = {"replicas": spec.get("replicas", 1), "selector": {"matchLabels": labels}, "template": template}
            owners = [reference("Deployment", "apps/v1", obj)]
            found = self._store.create(
                "ReplicaSet",
                {"metadata": {"name": name, "namespace": namespace, "ownerReferences": owners}, "spec": body},
            )
        elif found["spec"]["replicas"] != spec.get("replicas", 1):
            found["spec"]["replicas"] = spec.get("replicas", 1)
            found = self._store.update("ReplicaSet", found)
        status = found.get("status") or {}
        counted = {key: status.get(key, 0) for key in ("replicas", "readyReplicas", "availableReplicas")}
        return {**counted, "updatedReplicas": counted["replicas"]}

    def _replica_set(self, obj: Obj) -> Obj:
        wanted = obj["spec"].get("replicas", 1)
        mine = [pod for pod in owned(self._pods, obj["metadata"]["uid"]) if active(pod)]
        for _ in range(wanted - len(mine)):
            self._create("ReplicaSet", "apps/v1", obj, {"generateName": f"{obj['metadata']['name']}-"})
        for pod in sorted(mine, key=ready)[: max(0, len(mine) - wanted)]:
            self._store.delete("Pod", pod["metadata"]["name"], pod["metadata"]["namespace"])
        up = sum(1 for pod in mine if ready(pod))
        return {"replicas": len(mine), "readyReplicas": up, "availableReplicas": up}

    def _stateful_set(self, obj: Obj) -> Obj:
        metadata, spec = obj["metadata"], obj["spec"]
        mine = {pod["metadata"]["name"]: pod for pod in owned(self._pods, metadata["uid"])}
        parallel = spec.get("podManagementPolicy") == "Parallel"
        for number in range(spec.get("replicas", 1)):
            name = f"{metadata['name']}-{number}"
            pod = mine.get(name)
            if pod is None:
                volumes = claims(self._store, obj, name)
                self._create("StatefulSet", "apps/v1", obj, {"name": name}, volumes=volumes)
            elif ended(pod) and not going(pod):
                self._store.delete("Pod", name, metadata["namespace"])
            if not parallel and (pod is None or not ready(pod)):
                break
        alive = [pod for pod in mine.values() if active(pod)]
        return {"replicas": len(alive), "readyReplicas": sum(1 for pod in alive if ready(pod))}

    def _daemon_set(self, obj: Obj) -> Obj:
        wanted = wish(obj, owned(self._pods, obj["metadata"]["uid"]), self._store.peek("Node"))
        for pod in wanted.delete:
            self._store.delete("Pod", pod["metadata"]["name"], pod["metadata"]["namespace"])
        for name in wanted.create:
            generate = {"generateName": f"{obj['metadata']['name']}-"}
            labels = {HASH: wanted.digest}
            self._create("DaemonSet", "apps/v1", obj, generate, node=name, tolerations=TOLERATIONS, labels=labels)
        return wanted.status

    def _job(self, obj: Obj) -> Obj:
        mine = owned(self._pods, obj["metadata"]["uid"])
        done = sum(1 for pod in mine if (pod.get("status") or {}).get("phase") == "Succeeded")
        wanted = obj["spec"].get("completions", 1)
        alive = [pod for pod in mine if active(pod)]
        if done < wanted and not alive and not any(going(pod) for pod in mine):
            self._create("Job", "batch/v1", obj, {"generateName": f"{obj['metadata']['name']}-"})
        conditions = [{"type": "Complete", "status": "True"}] if done >= wanted else []
        status: Obj = {"active": len(alive), "succeeded": done}
        return {**status, "conditions": conditions} if conditions else status

    def _create(
        self,
        kind: str,
        api_version: str,
        controller: Obj,
        names: Obj,
        *,
        node: str = "",
        volumes: list[Obj] | None = None,
        tolerations: list[Obj] | None = None,
        labels: Obj | None = None,
    ) -> None:
        template = copy.deepcopy(controller["spec"]["template"])
        spec = template["spec"]
        spec.setdefault("terminationGracePeriodSeconds", 30)
        spec.setdefault("restartPolicy", "Always")
        if node:
            spec["nodeName"] = node
        if volumes:
            spec["volumes"] = [*(spec.get("volumes") or []), *volumes]
        if tolerations:
            spec["tolerations"] = [*(spec.get("tolerations") or []), *tolerations]
        metadata = {**template.get("metadata", {}), **names, "namespace": controller["metadata"]["namespace"]}
        metadata["ownerReferences"] = [reference(kind, api_version, controller)]
        if labels:
            metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
        self._store.create("Pod", {"metadata": metadata, "spec": spec, "status": {"phase": "Pending"}})
