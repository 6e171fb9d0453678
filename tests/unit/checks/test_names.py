from __future__ import annotations

import pytest

from cri_switch.checks.names import check_held, check_names
from cri_switch.model.migration import Choice

NODES = ["cp1", "worker1", "worker2"]


@pytest.mark.parametrize(
    ("limit", "exclude", "bad"),
    [
        ([], [], []),
        (["worker1"], ["cp1"], []),
        (["worker*", "cp?"], [], []),
        (["wroker1"], [], ["wroker1"]),
        ([], ["worker-2"], ["worker-2"]),
        (["db*", "db*", "cp1"], ["x"], ["db*", "x"]),
        (["CP1"], [], ["CP1"]),
    ],
)
def test_names(limit: list[str], exclude: list[str], bad: list[str]) -> None:
    findings = check_names(Choice(limit=limit, exclude=exclude), NODES, NODES)
    assert [one.object for one in findings] == bad
    assert {(one.level, one.name) for one in findings} <= {("error", "UnknownNode")}


def test_did_you_mean() -> None:
    (finding,) = check_names(Choice(limit=["wroker2"]), NODES, NODES)
    assert finding.summary == "nodes.limit: wroker2 matches no node; did you mean worker2?"


def test_nothing_close_is_not_guessed() -> None:
    (finding,) = check_names(Choice(exclude=["zzz"]), NODES, NODES)
    assert finding.summary == "nodes.exclude: zzz matches no node"


def test_a_selector_that_selects_nothing() -> None:
    (finding,) = check_names(Choice(selector="disk=sdd"), NODES, ())
    assert (finding.level, finding.name, finding.object) == ("error", "UnknownNode", "disk=sdd")


def test_a_daemonset_to_hold_that_is_not_there() -> None:
    assert check_held(["shop/agent"], ["shop/agent", "shop/other"]) == []
    (finding,) = check_held(["shop/agnet"], ["shop/agent"])
    assert (finding.level, finding.name, finding.object) == ("error", "UnknownDaemonSet", "shop/agnet")
    assert finding.summary.endswith("did you mean shop/agent?")
