"""Who comes back to a node that an administrator has cordoned."""

from __future__ import annotations

from typing import Any

import pytest

from cri_switch.checks.stays_cordoned import check_stays_cordoned
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
