"""In one word and in a sentence: how a run leaves a node."""

from __future__ import annotations

import pytest

from cri_switch.model.errors import CriSwitchError, RollbackFailed
from cri_switch.model.node_end import NodeEnd, RunSoFar
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodeAction, NodePlan, Plan

W1, W2 = (NodeRef(name=name, uid=name, runtime="docker://20.10.5") for name in ("w1", "w2"))
BACK = CriSwitchError("no disk")
BACK.rolled_back = True
HERE = "; the next run goes on here"


def plan(action: NodeAction = "migrate") -> Plan:
    nodes = (NodePlan(node=W1, action=action), NodePlan(node=W2, action="skip", remove_docker=True))
    return Plan(cluster_uid="c", migration_id="m", target="containerd", nodes=nodes, batches=((W1,),))


@pytest.mark.parametrize(
    ("action", "problem", "stands", "cordoned", "expected"),
    [
        ("migrate", None, "", False, NodeEnd("untouched")),
        ("migrate", None, "stage (done)", False, NodeEnd("untouched")),
        ("migrate", CriSwitchError("no ssh"), "stage (done)", False, NodeEnd("untouched", "no ssh")),
        ("migrate", None, "", True, NodeEnd("half-done", f"left cordoned, not begun{HERE}", "cordoned, not begun")),
        ("migrate", BACK, "", True, NodeEnd("rolled-back", "no disk")),
        ("resume", BACK, "", True, NodeEnd("rolled-back", "no disk")),
        ("migrate", RollbackFailed("no dockerd"), "drain (done)", True, NodeEnd("unhealthy", "no dockerd")),
        ("migrate", None, "drain (done)", True, NodeEnd("half-done", f"left at drain (done){HERE}", "at drain (done)")),
        (
            "migrate",
            OSError("a"),
            "drain (done)",
            True,
            NodeEnd("half-done", f"a\nleft at drain (done){HERE}", "at drain (done)"),
        ),
        (
            "resume",
            None,
            "stage (done)",
            True,
            NodeEnd("half-done", f"left half done by an earlier run{HERE}", "half done by an earlier run"),
        ),
    ],
)
def test_a_node_that_has_not_arrived(
    action: NodeAction, problem: Exception | None, stands: str, cordoned: bool, expected: NodeEnd
) -> None:
    so_far = RunSoFar(
        plan(action),
        arrived=(),
        failures={"w1": problem} if problem else {},
        stands={"w1": stands} if stands else {},
        cordoned=["w1"] if cordoned else [],
    )
    assert so_far.ends["w1"] == expected


def test_dockers_packages_do_not_make_a_node_less_migrated() -> None:
    at = {"w1": "remove_docker (not finished)", "w2": "remove_docker (not finished)"}
    ends = RunSoFar(plan(), ["w1"], {"w1": CriSwitchError("dpkg")}, at).ends
    assert ends["w1"] == NodeEnd("migrated", "Docker's packages: dpkg", "at remove_docker (not finished)")
    assert (ends["w2"].outcome, ends["w2"].left) == ("skipped", "at remove_docker (not finished)")
    assert RunSoFar(plan(), ["w1"], {}, {"w1": "settle (done)"}).ends["w1"] == NodeEnd("migrated")


def test_a_dry_run_leaves_every_node_untouched() -> None:
    ends = RunSoFar(plan(), (), {"w1": CriSwitchError("no disk")}, {"w1": "drain (done)"}, dry_run=True).ends
    assert ends["w1"] == NodeEnd("failed", "no disk")
    assert RunSoFar(plan("resume"), (), {}, {"w1": "drain (done)"}, dry_run=True).ends["w1"] == NodeEnd("untouched")


@pytest.mark.parametrize(
    ("action", "problem", "stands", "expected"),
    [
        ("migrate", None, "", ["w1"]),
        ("migrate", CriSwitchError("no ssh"), "stage (done)", ["w1"]),
        ("migrate", None, "cordon (not finished)", []),
        ("migrate", BACK, "", []),
        ("resume", None, "", []),  # a step of an earlier run may have begun on it
    ],
)
def test_what_was_cordoned_and_never_begun(
    action: NodeAction, problem: Exception | None, stands: str, expected: list[str]
) -> None:
    failures, at = {"w1": problem} if problem else {}, {"w1": stands} if stands else {}
    assert RunSoFar(plan(action), (), failures, at, ["w1"]).only_cordoned == expected
    assert RunSoFar(plan(action), (), failures, at, []).only_cordoned == []
    assert RunSoFar(plan(action), ["w1"], failures, at, ["w1"]).only_cordoned == []


def test_a_dry_run_says_of_no_node_that_it_was_migrated() -> None:
    assert RunSoFar(plan(), ["w1"], {}, {}, dry_run=True).state == "nothing was touched: it was a dry run"
