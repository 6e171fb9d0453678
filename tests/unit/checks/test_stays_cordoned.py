"""Who comes back to a node that an administrator has cordoned."""

from __future__ import annotations

from typing import Any

import pytest

from cri_switch.checks.stays_cordoned import check_stays_cordoned, kept_pending
from tests.unit.checks.test_capacity import node, pod

ONLY_W1: dict[str, Any] = {"nodeSelector": {"kubernetes.io/hostname": "w1"}}
EVERYWHERE: dict[str, Any] = {"tolerations": [{"operator": "Exists"}]}


@pytest.mark.parametrize(
    ("pods", "held", "said"),
    [
        ([pod("a", "w1", **ONLY_W1)], ["w1"], ["ns/a"]),
        ([pod("a", "w1", **ONLY_W1)], [], []),
        ([pod("a", "w1")], ["w1"], []),
        ([pod("a", "w1")], ["w1", "w2"], ["ns/a"]),
        ([pod("a", "w1", **ONLY_W1, **EVERYWHERE)], ["w1"], []),
        ([pod("a", "w1", owner="DaemonSet", **ONLY_W1)], ["w1"], []),
        ([pod("a", "w2", nodeSelector={"kubernetes.io/hostname": "w2"})], ["w2"], []),
    ],
    ids=["tied", "not cordoned", "free", "all cordoned", "tolerates", "DaemonSet", "not chosen"],
)
def test_who_does_not_come_back(pods: list[dict[str, Any]], held: list[str], said: list[str]) -> None:
    found = check_stays_cordoned(["w1"], held, [node("w1"), node("w2")], pods)
    assert [each.detail for each in found] == [f"pods: {name}" for name in said]
    assert all((each.level, each.name, each.node) == ("error", "TiedToCordonedNode", "w1") for each in found)


NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
DEDICATED = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("spec", "held", "taints", "kept"),
    [
        (ONLY_W1, ["w1"], {}, True),
        (ONLY_W1, ["w1"], {"w1": UNSCHEDULABLE}, True),
        (ONLY_W1, [], {}, False),
        ({}, ["w1"], {}, False),
        ({}, ["w1"], {"w2": NOT_READY}, False),
        ({}, ["w1"], {"w2": DEDICATED}, True),
        ({}, ["w1", "w2"], {}, True),
        ({"nodeSelector": {"kubernetes.io/hostname": "w9"}}, ["w1"], {}, False),
    ],
    ids=["tied", "with its taint", "nobody's cordon", "free", "the other comes back", "the other never", "all", "none"],
)
def test_who_waits_for_an_uncordon(
    spec: dict[str, Any], held: list[str], taints: dict[str, dict[str, str]], kept: bool
) -> None:
    nodes = [node("w1"), node("w2")]
    for each in nodes:
        if taint := taints.get(each["metadata"]["name"]):
            each.setdefault("spec", {})["taints"] = [taint]
    waiting = pod("a", "", **spec)
    assert kept_pending([waiting], held, nodes) == ([waiting] if kept else [])
