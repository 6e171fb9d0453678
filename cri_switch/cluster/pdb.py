"""Which PodDisruptionBudgets guard a pod, and what they allow: pure."""

from __future__ import annotations

from collections.abc import Iterable

from cri_switch.cluster.client import Obj
from cri_switch.cluster.pods import title
from cri_switch.model.label_selector import selects


def blocking(pod: Obj, budgets: Iterable[Obj]) -> list[str]:
    """One line for each budget of the pod that allows no disruption now."""
    return [_line(budget) for budget in guarding(pod, budgets) if _allowed(budget) < 1]


def guarding(pod: Obj, budgets: Iterable[Obj]) -> list[Obj]:
    """The budgets whose selector matches the pod."""
    namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels") or {}
    return [budget for budget in budgets if budget["metadata"]["namespace"] == namespace and _guards(budget, labels)]


def _guards(budget: Obj, labels: dict[str, str]) -> bool:
    selector = budget["spec"].get("selector")
    if selector is None:
        return False
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        # Empty: nothing in policy/v1beta1, everything in policy/v1.
        return bool(budget.get("apiVersion") != "policy/v1beta1")
    return selects(selector, labels)


def _allowed(budget: Obj) -> int:
    return int((budget.get("status") or {}).get("disruptionsAllowed") or 0)


def _line(budget: Obj) -> str:
    status = budget.get("status") or {}
    healthy, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    return (
        f"PodDisruptionBudget {title(budget)} allows {_allowed(budget)} disruptions"
        f" ({healthy} healthy, {desired} must be)"
    )
