"""The scheduler: filters, then scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cri_switch.model.label_selector import expression_holds, selects
from cri_switch.rehearsal.pods_of import active, ended, owner, ready, tolerates
from cri_switch.rehearsal.store import Store

Obj = dict[str, Any]
_UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def schedule(store: Store) -> None:
    """Bind every pod that waits and for which there is a node; call it under the store's lock."""
    waiting = [pod for pod in store.peek("Pod") if not pod["spec"].get("nodeName") and active(pod)]
    there = _by_node(store) if waiting else {}
    for pod in waiting:
        nodes = [node for node in store.peek("Node") if _why_not(store, pod, node, there) == ""]
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        if not nodes:
            _unschedulable(store, pod)
            continue
        chosen = min(nodes, key=lambda node: _score(pod, node, there))["metadata"]["name"]

        def bind(found: Obj, node: str = chosen) -> None:
            found["spec"]["nodeName"] = node
            found["status"] = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}]}

        there.setdefault(chosen, []).append(store.change("Pod", name, namespace, bind))


def _unschedulable(store: Store, pod: Obj) -> None:
    def change(found: Obj) -> None:
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        found["status"] = {**(found.get("status") or {}), "phase": "Pending", "conditions": [condition]}

    store.change("Pod", pod["metadata"]["name"], pod["metadata"]["namespace"], change)


def _why_not(store: Store, pod: Obj, node: Obj, there: dict[str, list[Obj]]) -> str:
    """The filter that keeps a pod off a node; empty when none does."""
    spec, labels = node["spec"], node["metadata"].get("labels") or {}
    taints = list(spec.get("taints") or [])
    if spec.get("unschedulable"):
        taints.append(_UNSCHEDULABLE)
    if not ready(node):
        taints.append({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})
    for taint in taints:
        if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
            return f"taint {taint['key']}"
    if any(labels.get(key) != value for key, value in (pod["spec"].get("nodeSelector") or {}).items()):
        return "nodeSelector"
    if not affinity_fits(pod, labels):
        return "node affinity"
    if not all(_terms_hold(terms, labels) for terms in _volumes(store, pod)):
        return "volume node affinity"
    return "anti-affinity" if _repelled(pod, there.get(node["metadata"]["name"], [])) else ""


def _volumes(store: Store, pod: Obj) -> Iterable[Obj]:
    """The required node affinity of each volume that the pod claims; one that is not bound fits nowhere."""
    for volume in pod["spec"].get("volumes") or []:
        claim_name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if not claim_name:
            continue
        claim = store.get("PersistentVolumeClaim", claim_name, pod["metadata"]["namespace"])
        found = store.get("PersistentVolume", claim["spec"].get("volumeName", "")) if claim else None
        if found is None:
            yield {"nodeSelectorTerms": []}
        elif terms := (found["spec"].get("nodeAffinity") or {}).get("required"):
            yield terms


def affinity_fits(pod: Obj, labels: dict[str, str]) -> bool:
    """Whether the required node affinity of a pod, or of a template, lets it on a node with these labels."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return not required or _terms_hold(required, labels)


def _terms_hold(required: Obj, labels: dict[str, str]) -> bool:
    return any(
        bool(term) and all(expression_holds(each, labels) for each in term.get("matchExpressions") or [])
        for term in required.get("nodeSelectorTerms") or []
    )


def _repelled(pod: Obj, there: list[Obj]) -> bool:
    """Required anti-affinity by host name; other topologies are not simulated."""
    anti = ((pod["spec"].get("affinity") or {}).get("podAntiAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or []
    beside = [p for p in there if p["metadata"]["namespace"] == pod["metadata"]["namespace"]] if anti else []
    return any(selects(term["labelSelector"], p["metadata"].get("labels") or {}) for term in anti for p in beside)


def _by_node(store: Store) -> dict[str, list[Obj]]:
    """The pods that take room on each node."""
    found: dict[str, list[Obj]] = {}
    for pod in store.peek("Pod"):
        if not ended(pod):
            found.setdefault(pod["spec"].get("nodeName") or "", []).append(pod)
    return found


def _score(pod: Obj, node: Obj, by_node: dict[str, list[Obj]]) -> tuple[int, int, int, str]:
    """The smallest is best: taints that would rather not, siblings, pods, name."""
    name, mine = node["metadata"]["name"], owner(pod)
    there = by_node.get(name, [])
    taints = [t for t in node["spec"].get("taints") or [] if t["effect"] == "PreferNoSchedule"]
    against = sum(1 for taint in taints if not tolerates(pod, taint))
    siblings = sum(1 for p in there if mine and (o := owner(p)) and o["uid"] == mine["uid"])
    return against, siblings, len(there), name
