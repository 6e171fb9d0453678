"""PodDisruptionBudgets that would hold up a drain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from cri_switch.checks.owner import Obj
from cri_switch.checks.pods import name_of, some
from cri_switch.model.finding import Finding
from cri_switch.model.label_selector import selects


def check_budgets(leaving: Sequence[Obj], budgets: Sequence[Obj], *, disable_eviction: bool = False) -> list[Finding]:
    """Of the budgets that guard a pod which a drain evicts (`leaving`): those that allow no disruption.

    Never (maxUnavailable 0, minAvailable as high as there are pods) is an error, because no wait helps; none just now
    is a warning, because the drain waits. With more than one budget on a pod the API refuses its eviction. Nothing is
    said where budgets are bypassed (`disable_eviction`).
    """
    if disable_eviction:
        return []
    findings = []
    guards: dict[str, list[str]] = {}
    by_namespace: dict[str, list[Obj]] = {}
    for pod in leaving:
        by_namespace.setdefault(pod["metadata"].get("namespace", ""), []).append(pod)
    for budget in budgets:
        pods_beside = by_namespace.get(budget["metadata"].get("namespace", ""), [])
        guarded = [pod for pod in pods_beside if _guards(budget, pod)]
        for pod in guarded:
            guards.setdefault(name_of(pod), []).append(name_of(budget))
        if guarded:
            findings += _check(budget, [name_of(pod) for pod in guarded])
    by_budgets: dict[tuple[str, ...], list[str]] = {}
    for pod_name, names in guards.items():
        if len(names) > 1:
            by_budgets.setdefault(tuple(sorted(names)), []).append(pod_name)
    for several, pods in sorted(by_budgets.items()):
        findings.append(
            Finding(
                "error",
                "PodInSeveralBudgets",
                f"{some(pods)}: the API refuses to evict a pod of several PodDisruptionBudgets: {', '.join(several)}",
                object=f"PodDisruptionBudget {several[0]}",
                detail=f"pods: {', '.join(sorted(pods))}",
                remedy="leave one of the budgets, or set spec.drain.disable_eviction (it bypasses them all)",
            )
        )
    return findings


def _guards(budget: Obj, pod: Obj) -> bool:
    selector = budget["spec"].get("selector")
    if selector is None:
        return False
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return budget.get("apiVersion") != "policy/v1beta1"  # empty: nothing there, everything in policy/v1
    return selects(selector, pod["metadata"].get("labels") or {})


def _check(budget: Obj, pods: Sequence[str]) -> list[Finding]:
    status: Mapping[str, Any] = budget.get("status") or {}
    expected = int(status.get("expectedPods") or 0) or len(pods)
    spec, who = budget["spec"], f"PodDisruptionBudget {name_of(budget)}"
    key = "maxUnavailable" if spec.get("maxUnavailable") is not None else "minAvailable"
    given, detail = spec.get(key), f"pods on the nodes to be drained: {', '.join(sorted(pods))}"
    if given is not None:
        count = _scaled(given, expected)
        spare = count if key == "maxUnavailable" else expected - count
        if spare <= 0:
            remedy = (
                "scale the workload up or lower the budget, or set spec.drain.disable_eviction (it bypasses budgets)"
            )
            text = f"{who} can never allow a disruption: {key} {given} of {_pods(expected)}"
            return [Finding("error", "PdbNeverAllows", text, object=who, detail=detail, remedy=remedy)]
    if int(status.get("disruptionsAllowed") or 0) > 0:
        return []
    healthy, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    text = f"{who} allows no disruption now ({healthy} healthy, {desired} must be): a drain waits for it"
    remedy = "see why its pods are not ready: kubectl describe pdb, kubectl get pods"
    return [Finding("warning", "PdbAllowsNoneNow", text, object=who, detail=detail, remedy=remedy)]


def _scaled(value: int | str, expected: int) -> int:
    """A number or a percentage of the pods, rounded up, as the disruption controller does it."""
    if isinstance(value, str):
        return ceil(expected * int(value.rstrip("%")) / 100) if value.endswith("%") else int(value)
    return value


def _pods(count: int) -> str:
    return f"{count} pod" if count == 1 else f"{count} pods"
