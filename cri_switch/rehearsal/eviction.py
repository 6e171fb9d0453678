"""The eviction subresource: a pod goes only if its budget allows it, and then the budget counts it."""

from __future__ import annotations

from typing import Any

from cri_switch.model.label_selector import selects
from cri_switch.rehearsal.clock import timestamp
from cri_switch.rehearsal.store import Missing, Store

Obj = dict[str, Any]


class Refused(Exception):
    """Not now (429), or never (500): `status`, and the budget's words as `cause`."""

    def __init__(self, status: int, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.cause = cause


def evict(store: Store, namespace: str, name: str, options: Obj, *, api_version: str, dry_run: bool) -> None:
    """As registry/core/pod/rest/eviction.go does it. Raises Missing, Refused."""
    with store.lock:
        pod = store.get("Pod", name, namespace)
        if pod is None:
            raise Missing(f'pods "{name}" not found')
        grace = options.get("gracePeriodSeconds")
        if not _needs_no_budget(pod):
            _spend(store, pod, api_version, dry_run=dry_run)
        if not dry_run:
            store.delete("Pod", name, namespace, grace)


def budgets_of(store: Store, pod: Obj, api_version: str) -> list[Obj]:
    """The budgets that guard a pod; an empty selector is nothing in policy/v1beta1, everything in policy/v1."""
    namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels") or {}
    return [
        budget
        for budget in store.peek("PodDisruptionBudget", namespace)
        if (selector := budget["spec"].get("selector")) is not None
        and (selector or api_version != "policy/v1beta1")
        and selects(selector, labels)
    ]


def _needs_no_budget(pod: Obj) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))


def _spend(store: Store, pod: Obj, api_version: str, *, dry_run: bool) -> None:
    found = budgets_of(store, pod, api_version)
    if not found:
        return
    if len(found) > 1:
        raise Refused(
            500,
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        )
    budget = found[0]
    name, namespace, status = budget["metadata"]["name"], budget["metadata"]["namespace"], budget.get("status") or {}
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 1):
        raise Refused(429, message, f"The disruption budget {name} is still being processed by the server.")
    if status.get("disruptionsAllowed", 0) < 1:
        desired, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        raise Refused(
            429, message, f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"
        )
    if dry_run:
        return

    def spend(fresh: Obj) -> None:
        fresh["status"]["disruptionsAllowed"] -= 1
        fresh["status"].setdefault("disruptedPods", {})[pod["metadata"]["name"]] = timestamp(store.clock.now())

    store.change("PodDisruptionBudget", name, namespace, spend)
