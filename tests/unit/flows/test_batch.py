"""How a run ends: its report, or the error that says why it did not do all."""

from __future__ import annotations

import pytest

from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import (
    CriSwitchError,
    DrainBlocked,
    Moved,
    NodeFailed,
    NotProven,
    RollbackFailed,
    Unreachable,
)
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec
from cri_switch.model.node_outcome import NodeOutcome
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan, Plan
from cri_switch.model.report import Report
from flows import batch as module
from flows.batch import Batches

MIGRATION = Migration(
    metadata=Metadata(name="m"), spec=Spec(cluster=ClusterAccess(kubeconfig="k"), backup=Backup(directory="d"))
)
W1, W2 = (NodeRef(name=name, uid=f"uid-{name}", runtime="docker://20.10.5") for name in ("w1", "w2"))
PLAN = Plan(
    cluster_uid="c",
    migration_id="id",
    target="containerd",
    nodes=tuple(NodePlan(node=node, action="migrate") for node in (W1, W2)),
    batches=((W1,), (W2,)),
)


def report(*moved: str) -> Report:
    return Report(migration="m", migration_id="id", cluster_uid="c", target="containerd", moved=list(moved))


def back(problem: CriSwitchError) -> CriSwitchError:
    problem.rolled_back = True
    return problem


def test_all_arrived() -> None:
    assert Batches(PLAN, MIGRATION).conclude(report()) == report()


def test_nodes_that_joined_meanwhile_make_it_no_success() -> None:
    with pytest.raises(Moved, match="w9 joined") as caught:
        Batches(PLAN, MIGRATION).conclude(report("node w9 joined since the plan"))
    assert caught.value.exit_code == 6
    assert caught.value.report.moved == ["node w9 joined since the plan"]


def test_an_end_that_the_api_did_not_see_is_no_success() -> None:
    """Every node was proven, but an API that does not answer then is nothing to be silent about."""
    seen = report().model_copy(update={"warnings": ["the API was not asked: no answer"]})
    with pytest.raises(Unreachable, match="no answer") as caught:
        Batches(PLAN, MIGRATION).conclude(seen)
    assert (caught.value.exit_code, caught.value.report) == (4, seen)


def test_a_failed_node_is_what_is_told() -> None:
    run = Batches(PLAN, MIGRATION)
    run.failures["w1"] = back(CriSwitchError("w1: no disk"))
    with pytest.raises(NodeFailed, match="w1: no disk") as caught:
        run.conclude(report("node w9 joined since the plan"))
    assert caught.value.exit_code == 7
    assert caught.value.state == "migrated: none; back on Docker: w1; untouched: w2"


def test_a_blocked_drain_is_a_node_that_did_not_arrive() -> None:
    run = Batches(PLAN, MIGRATION)
    run.failures["w1"] = DrainBlocked("w1: a budget allows none")
    with pytest.raises(NodeFailed, match="a budget allows none") as caught:
        run.conclude(report())
    assert caught.value.exit_code == 7


def test_a_subflow_that_could_not_be_started_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only while no step of the node has run: then an error is the node's."""
    calls: list[str] = []

    def starts_late(node: NodeRef, *_: object) -> NodeOutcome:
        calls.append(node.name)
        raise ConnectionError("503")

    class Quiet:
        def warning(self, *_: object) -> None:
            pass

    monkeypatch.setattr(module, "migrate_node", starts_late)
    monkeypatch.setattr(module, "get_run_logger", Quiet)
    monkeypatch.setattr("flows.batch.stop.sleep", lambda _seconds: None)
    with pytest.raises(ConnectionError):
        Batches(PLAN, MIGRATION)._one(W1)
    assert calls == ["w1"] * 4

    calls.clear()
    begun = iter(range(9))
    monkeypatch.setattr(module, "begun", lambda _node: next(begun))
    with pytest.raises(ConnectionError):
        Batches(PLAN, MIGRATION)._one(W1)
    assert calls == ["w1"], "its body had begun"


_CP1, _CP2 = (
    NodeRef(name=name, uid=f"uid-{name}", runtime="docker://20.10.5", role="control-plane") for name in ("cp1", "cp2")
)
_WHOLE = PLAN.model_copy(
    update={
        "nodes": tuple(NodePlan(node=node, action="migrate") for node in (W1, W2, _CP1, _CP2)),
        "batches": ((W1,), (W2,), (_CP1,), (_CP2,)),
    }
)


def _tried(monkeypatch: pytest.MonkeyPatch, problems: dict[str, CriSwitchError], allowed: int) -> list[str]:
    """The nodes that were begun, batch after batch, until the run ended."""
    begun: list[str] = []

    def node_flow(node: NodeRef, *_: object) -> NodeOutcome:
        begun.append(node.name)
        if node.name in problems:
            raise problems[node.name]
        return NodeOutcome(attempt=Attempt(cluster_uid="c", migration_id="m", node=node, number=1), results=())

    monkeypatch.setattr(module, "migrate_node", node_flow)
    monkeypatch.setattr(module, "cordon_batch", lambda *_: None)
    monkeypatch.setattr(module, "may_go_out", lambda *_: None)
    monkeypatch.setattr("flows.batch.stop.why", lambda: None)
    spec = MIGRATION.spec.model_copy(update={"max_failures": allowed})
    batches = Batches(_WHOLE, MIGRATION.model_copy(update={"spec": spec}))
    try:
        for batch in _WHOLE.batches:
            batches.run(batch)
    except NodeFailed:
        pass
    return begun


@pytest.mark.parametrize(
    ("failing", "problem", "allowed", "begun"),
    [
        ("w2", back(NotProven("x")), 0, ["w1", "w2"]),
        ("w2", back(NotProven("x")), 1, ["w1", "w2", "cp1", "cp2"]),
        ("w2", NotProven("not back on Docker"), 9, ["w1", "w2"]),
        ("w1", back(NotProven("the canary")), 9, ["w1"]),
        ("cp1", back(NotProven("a control plane")), 9, ["w1", "w2", "cp1"]),
        ("w2", RollbackFailed("unhealthy"), 9, ["w1", "w2"]),
    ],
)
def test_when_no_further_node_is_started(
    monkeypatch: pytest.MonkeyPatch, failing: str, problem: CriSwitchError, allowed: int, begun: list[str]
) -> None:
    assert _tried(monkeypatch, {failing: problem}, allowed) == begun


def test_an_unhealthy_nodes_command_comes_first_and_it_is_no_untouched_one() -> None:
    run = Batches(_WHOLE, MIGRATION)
    run.failures["w1"] = RollbackFailed("w1: dockerd", state="w1 is unhealthy", next_step="cri-switch rollback w1")
    with pytest.raises(NodeFailed, match="w1 is unhealthy") as caught:
        run.conclude(report())
    assert caught.value.next_step.startswith("cri-switch rollback w1; then ")
    assert caught.value.state == "migrated: none; unhealthy: w1; untouched: w2, cp1, cp2"


def test_cancelled_while_docker_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node is migrated, by this run or one before: that its packages are going is said all the same."""
    monkeypatch.setattr(module, "stands", lambda: {"w1": "remove_docker (done)", "w2": "remove_docker (not finished)"})
    done = Plan(
        cluster_uid="c",
        migration_id="id",
        target="containerd",
        nodes=tuple(NodePlan(node=node, action="skip", remove_docker=True) for node in (W1, W2)),
        batches=(),
    )
    run = Batches(done, MIGRATION)
    run.cancelled()
    assert run.problem is not None
    assert run.problem.state.split("; ") == [
        "migrated: none",
        "migrated by an earlier run: w1, w2",
        "w2 is left at remove_docker (not finished)",
        "untouched: none",
    ]
