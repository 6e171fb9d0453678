"""The disruption controller: what a PodDisruptionBudget allows now."""

from __future__ import annotations

from typing import Any

from cri_switch.model.label_selector import selects
from cri_switch.rehearsal.clock import epoch
from cri_switch.rehearsal.pods_of import active, owner, ready
from cri_switch.rehearsal.store import Store

Obj = dict[str, Any]


def watch_budgets(store: Store) -> None:
    """The status of every PodDisruptionBudget, as the disruption controller computes it."""
    for budget in store.peek("PodDisruptionBudget"):
        namespace, spec, status = budget["metadata"]["namespace"], budget["spec"], budget.get("status") or {}
        pods = [
            pod
            for pod in store.peek("Pod", namespace)
            if spec.get("selector") is not None and selects(spec["selector"], pod["metadata"].get("labels") or {})
        ]
        expected = _expected(store, pods)
        if "minAvailable" in spec:
            desired = _amount(spec["minAvailable"], expected)
        else:
            desired = max(0, expected - _amount(spec.get("maxUnavailable", 1), expected))
        names = {pod["metadata"]["name"] for pod in pods if active(pod)}
        now = store.clock.now()
        disrupted = {
            name: at
            for name, at in (status.get("disruptedPods") or {}).items()
            if name in names and now - epoch(at) < 120
        }
        healthy = sum(1 for pod in pods if active(pod) and ready(pod) and pod["metadata"]["name"] not in disrupted)
        allowed = max(0, healthy - desired) if expected else 0
        fresh = {
            "observedGeneration": budget["metadata"].get("generation", 1),
            "expectedPods": expected,
            "desiredHealthy": desired,
            "currentHealthy": healthy,
            "disruptionsAllowed": allowed,
            "disruptedPods": disrupted,
        }
        if fresh != status:

            def change(found: Obj, fresh: Obj = fresh) -> None:
                found["status"] = fresh

            store.change("PodDisruptionBudget", budget["metadata"]["name"], namespace, change)


def _expected(store: Store, pods: list[Obj]) -> int:
    """The scale of the pods' controllers; a pod without one counts as itself."""
    scales: dict[str, int] = {}
    for pod in pods:
        found = owner(pod)
        if found is None:
            scales[pod["metadata"]["uid"]] = 1
        elif found["kind"] in ("ReplicaSet", "StatefulSet"):
            obj = store.get(found["kind"], found["name"], pod["metadata"]["namespace"])
            scales[found["uid"]] = int(obj["spec"].get("replicas", 1)) if obj else 0
    return sum(scales.values())


def _amount(value: int | str, of: int) -> int:
    if isinstance(value, int):
        return value
    return -(-of * int(value.rstrip("%")) // 100)  # rounded up


def against_budgets(store: Store, pod: Obj) -> list[str]:
    """The budgets that have fewer healthy pods than they must, now that this pod, as it was before, is taken away."""
    if not ready(pod):
        return []
    lines = []
    namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels") or {}
    for budget in store.peek("PodDisruptionBudget", namespace):
        selector = budget["spec"].get("selector")
        if selector is None or not selects(selector, labels):
            continue
        there = [p for p in store.peek("Pod", namespace) if selects(selector, p["metadata"].get("labels") or {})]
        healthy = sum(1 for p in there if active(p) and ready(p))
        desired = (budget.get("status") or {}).get("desiredHealthy", 0)
        if healthy < desired:
            name = budget["metadata"]["name"]
            lines.append(f"PodDisruptionBudget {name} ({healthy} healthy, {desired} must be)")
    return lines
