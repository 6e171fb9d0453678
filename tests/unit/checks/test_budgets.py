from __future__ import annotations

from typing import Any

import pytest

from cri_switch.checks.budgets import check_budgets


def web(name: str = "web-1", namespace: str = "ns", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {"app": "web"}},
        "spec": {"nodeName": "w1"},
    }


def budget(
    name: str = "web", *, allowed: int = 1, expected: int = 4, version: str = "policy/v1", **spec: Any
) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "metadata": {"name": name, "namespace": "ns"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}} | spec,
        "status": {"disruptionsAllowed": allowed, "expectedPods": expected, "currentHealthy": 3, "desiredHealthy": 3},
    }


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"maxUnavailable": 0}, 4),
        ({"maxUnavailable": "0%"}, 4),
        ({"minAvailable": 4}, 4),
        ({"minAvailable": 5}, 4),
        ({"minAvailable": "100%"}, 4),
        ({"minAvailable": "76%"}, 4),
        ({"minAvailable": 1}, 1),
        ({"minAvailable": "1%"}, 1),
    ],
)
def test_never(spec: dict[str, Any], expected: int) -> None:
    (finding,) = check_budgets([web()], [budget(allowed=0, expected=expected, **spec)])
    assert (finding.level, finding.name) == ("error", "PdbNeverAllows")
    assert finding.object == "PodDisruptionBudget ns/web"
    assert "ns/web-1" in finding.detail


@pytest.mark.parametrize(
    "spec", [{"maxUnavailable": 1}, {"maxUnavailable": "1%"}, {"minAvailable": 3}, {"minAvailable": "75%"}]
)
def test_some_day(spec: dict[str, Any]) -> None:
    assert check_budgets([web()], [budget(**spec)]) == []
    (finding,) = check_budgets([web()], [budget(allowed=0, **spec)])
    assert (finding.level, finding.name) == ("warning", "PdbAllowsNoneNow")
    assert "3 healthy, 3 must be" in finding.summary


@pytest.mark.parametrize(
    ("pods", "one"),
    [
        ([], budget(maxUnavailable=0)),
        ([web(app="other")], budget(maxUnavailable=0)),
        ([web(namespace="elsewhere")], budget(maxUnavailable=0)),
        ([web()], budget(maxUnavailable=0, selector=None)),
        ([web()], budget(maxUnavailable=0, selector={}, version="policy/v1beta1")),
    ],
)
def test_a_budget_of_other_pods_is_silent(pods: list[dict[str, Any]], one: dict[str, Any]) -> None:
    assert check_budgets(pods, [one]) == []


def test_an_empty_selector_is_every_pod_in_policy_v1() -> None:
    assert len(check_budgets([web(app="other")], [budget(maxUnavailable=0, selector={})])) == 1


def test_a_pod_of_two_budgets_cannot_be_evicted() -> None:
    budgets = [budget("a", maxUnavailable=1), budget("b", maxUnavailable=1)]
    (finding,) = check_budgets([web(), web("web-2")], budgets)
    assert (finding.level, finding.name) == ("error", "PodInSeveralBudgets")
    assert "ns/web-1, ns/web-2" in finding.summary
    assert "ns/a, ns/b" in finding.summary


def test_bypassed_budgets_are_silent() -> None:
    assert check_budgets([web()], [budget(maxUnavailable=0), budget("b")], disable_eviction=True) == []
