"""What the engine keeps of a failed run is its error's text: what failed, the state now, the next command."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.states import exception_to_failed_state

import flows.batch
import flows.cleanup_cluster
import flows.ended
import flows.migrate_cluster
import flows.migrate_node
import flows.plan_cluster
import flows.preflight_cluster
import flows.rollback_node
from cri_switch.model.errors import ApiError, CriSwitchError, LockHeld, Stopped, WindowClosed
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan, Plan
from flows.batch import Batches
from flows.turn import Turn

W1, W2 = (NodeRef(name=name, uid=name, runtime="docker://20.10.5") for name in ("w1", "w2"))
PLAN = Plan(
    cluster_uid="c",
    migration_id="m",
    target="containerd",
    nodes=tuple(NodePlan(node=node, action="migrate") for node in (W1, W2)),
    batches=((W1,), (W2,)),
)


@pytest.fixture(autouse=True)
def own_umask() -> Iterator[None]:
    """A run sets its process's."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def migration(**spec: Any) -> Migration:
    base = {"cluster": {"kubeconfig": "k"}, "backup": {"directory": "d"}}
    return Migration.model_validate({"metadata": {"name": "m"}, "spec": {**base, **spec}})


def raising(problem: Exception) -> Callable[..., Any]:
    def function(*_: object, **__: object) -> None:
        raise problem

    return function


def stored(flow: Callable[..., object], *args: object) -> list[str]:
    """The lines of the message of the state that the engine would keep."""
    try:
        answer = flow(*args)
    except CriSwitchError as problem:
        answer = asyncio.run(exception_to_failed_state(problem))
    assert isinstance(answer, State)
    return str(answer.message).splitlines()


LOOKS: dict[str, tuple[ModuleType, str, Callable[..., object], tuple[object, ...]]] = {
    "plan": (flows.plan_cluster, "discover", flows.plan_cluster.plan_cluster.fn, ()),
    "preflight": (flows.preflight_cluster, "discover", flows.preflight_cluster.preflight_cluster.fn, ()),
    "migrate": (flows.migrate_cluster, "discovered", flows.migrate_cluster.run, ()),
    "rollback": (flows.rollback_node, "discovered", flows.rollback_node.rollback_node.fn, ("w1",)),
    "cleanup": (flows.cleanup_cluster, "named", flows.cleanup_cluster.cleanup_cluster.fn, ()),
}


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_error_that_says_only_what_failed(name: str, dry_run: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    module, where, run, more = LOOKS[name]
    monkeypatch.setattr(module, where, raising(ApiError("the API refused")))
    what, state, after = stored(run, migration(dry_run=dry_run), *more)
    assert what == "ApiError: the API refused"
    assert state.startswith("state: ")
    assert len(state) > len("state: x")
    assert after == "next: run the same command again: it looks before it changes anything"


def test_a_run_that_had_begun_says_where_each_node_is(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Batches(PLAN, migration())
    monkeypatch.setattr(flows.migrate_cluster, "_looked", lambda *_: (begun, Turn(begun, begun.migration)))
    monkeypatch.setattr(flows.migrate_cluster, "_migrate", raising(CriSwitchError("the disk is full")))
    assert stored(flows.migrate_cluster.run, migration()) == [
        "CriSwitchError: the disk is full",
        "state: migrated: none; untouched: w1, w2",
        "next: run the same command again: it looks before it changes anything",
    ]


@pytest.mark.parametrize(("kind", "name"), [(WindowClosed, "WindowClosed"), (Stopped, "Cancelled")])
def test_a_run_that_did_not_fail_says_it_too(
    kind: type[CriSwitchError], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows.migrate_cluster, "_looked", raising(kind("it is late")))
    monkeypatch.setattr(flows.ended, "get_run_logger", lambda: SILENT)
    answer = flows.migrate_cluster.run(migration())
    assert isinstance(answer, State)
    assert answer.name == name
    assert str(answer.message).splitlines() == [
        "it is late",
        "state: this run took no node out of service",
        "next: run the same command again: it looks before it changes anything",
    ]


class SILENT:
    @staticmethod
    def warning(*_: object) -> None:
        """Nothing."""


def test_what_an_error_says_itself_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    own = LockHeld("held by another", state="nothing was touched", next_step="wait")
    monkeypatch.setattr(flows.migrate_cluster, "discovered", raising(own))
    assert stored(flows.migrate_cluster.run, migration()) == [
        "LockHeld: held by another",
        "state: nothing was touched",
        "next: wait",
    ]


@pytest.mark.parametrize(
    ("dry_run", "stands", "state"),
    [
        (False, {"w1": "cordon (done)"}, "w1 is left at cordon (done)"),
        (False, {"w2": "cordon (done)"}, "this run has begun no step of w1"),
        (True, {"w1": "cordon (done)"}, "nothing was touched: it was a dry run"),
    ],
)
def test_a_nodes_own_run_says_where_it_is(
    dry_run: bool, stands: dict[str, str], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows.migrate_node, "open_attempt", raising(Stopped("stopped before drain of w1")))
    monkeypatch.setattr(flows.migrate_node, "stands", lambda: stands)
    said = stored(flows.migrate_node.migrate_node.fn, W1, migration(dry_run=dry_run), PLAN)
    assert said[1] == f"state: {state}"
