"""`rollback NODE` that ends before the node is begun, or in the middle: what is said of the node is true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.errors import (
    CriSwitchError,
    DrainBlocked,
    LockHeld,
    RemoteTimeout,
    RollbackFailed,
    Unreachable,
)
from cri_switch.rehearsal.api_reply import Reply
from tasks import stop
from tasks.step import stands
from tests.rehearsal.engineless import go_on
from tests.rehearsal.killing import Cluster, Killed

METHODS = ("GET", "POST", "PATCH", "DELETE")


@pytest.fixture
def migrated(tmp_path: Path) -> Cluster:
    """All nodes on containerd; Docker's packages are there still."""
    cluster = Cluster(tmp_path)
    cluster.run(go_on, 0, remove_docker="never")
    return cluster


def refused(
    cluster: Cluster, outside: Callable[[str, Callable[[], Any]], Any], kind: type[CriSwitchError], node: str = "w1"
) -> CriSwitchError:
    cluster.runs.outside = outside
    with pytest.raises(kind) as caught:
        cluster.rollback(node, 1)
    assert type(caught.value) is kind
    return caught.value


def serves(cluster: Cluster, *, cordoned: bool) -> bool:
    node = cluster.world.store.get("Node", "w1")
    assert node is not None
    assert bool(node["spec"].get("unschedulable")) is cordoned
    return str(node["status"]["nodeInfo"]["containerRuntimeVersion"]).startswith("containerd://")


def away_from(sign: str) -> Callable[[str, Callable[[], Any]], Any]:
    """The API is away from the first such word on."""
    met: list[str] = []

    def outside(what: str, act: Callable[[], Any]) -> Any:
        met.extend([what] if sign in what else [])
        return Reply(0, lost=True) if met and what.startswith(METHODS) else act()

    return outside


def test_a_drain_that_is_refused_leaves_it_uncordoned_and_says_so(migrated: Cluster) -> None:
    def outside(what: str, act: Callable[[], Any]) -> Any:
        return Reply(429, {"kind": "Status", "message": "the budget"}) if what.endswith("/eviction") else act()

    problem = refused(migrated, outside, DrainBlocked)
    assert serves(migrated, cordoned=False)
    assert problem.state.startswith("0 pods are gone, there are pending pods: shop/")
    assert problem.state.endswith("; node/w1 uncordoned; it serves on the new runtime still")


def test_a_probe_pod_that_stays_leaves_it_uncordoned(migrated: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object, **__: object) -> None:
        raise RemoteTimeout("w1: earlier probe pods gone: not within 60 s")

    monkeypatch.setattr("tasks.drain_before_undo.clear_probes", late)
    assert refused(migrated, go_on, RemoteTimeout).state == "node/w1 uncordoned; it serves on the new runtime still"
    assert serves(migrated, cordoned=False)


@pytest.mark.parametrize("sign", ["/eviction", "/namespaces/cri-switch/pods"])
def test_an_api_that_goes_away_in_its_drain_is_not_the_node(migrated: Cluster, sign: str) -> None:
    """Nothing can be uncordoned then."""
    problem = refused(migrated, away_from(sign), Unreachable)
    assert problem.exit_code == 4
    assert problem.state == "w1 runs what it ran; it may be cordoned"
    assert serves(migrated, cordoned=True)
    migrated.runs.outside = go_on
    migrated.rollback("w1", 2)


def test_one_whose_undo_fails_is_unhealthy_however_it_was_drained(migrated: Cluster) -> None:
    """Its kubelet is stopped, and then the node does not answer any more: the last try did not come as far."""
    met: list[str] = []

    def outside(what: str, act: Callable[[], Any]) -> Any:
        met.extend([what] if "systemctl stop kubelet" in what else [])
        if met and what.startswith("w1: "):
            raise Unreachable("w1: no connection")
        return act()

    problem = refused(migrated, outside, RollbackFailed)
    assert problem.state.startswith("w1 is unhealthy, neither proven on Docker nor on the new runtime; the last step")
    assert {node.name: node.outcome for node in problem.report.nodes} == {"w1": "unhealthy"}


def test_a_lease_that_is_lost_ends_it_with_that(migrated: Cluster) -> None:
    lost = LockHeld("the Lease is lost: somebody deleted it", state="left for the next run", next_step="kubectl get")

    def outside(what: str, act: Callable[[], Any]) -> Any:
        if what.endswith("/eviction"):
            stop.ask_to_stop(lost)
        return act()

    assert refused(migrated, outside, LockHeld) is lost


@pytest.mark.parametrize("typed", [True, False])
def test_a_rescue_that_fails_says_that_the_node_is_half_way(tmp_path: Path, typed: bool) -> None:
    """A killed run took the only API away; the way back over SSH stops what is left and does not come to its end."""
    cluster = Cluster(tmp_path)

    def killed(_what: str, act: Callable[[], Any]) -> Any:
        if stands().get("cp1", "").startswith("install_runtime"):
            raise Killed
        return act()

    def outside(what: str, act: Callable[[], Any]) -> Any:
        if "systemctl start kubelet" in what:
            raise RemoteTimeout("cp1: kubelet running not reached within 60 s")
        return act()

    with pytest.raises(Killed):
        cluster.run(killed, 0)
    cluster.runs.outside = outside
    with pytest.raises(RemoteTimeout) as caught:
        cluster.rollback("cp1", 1) if typed else cluster.run(outside, 1)
    assert caught.value.state == "cp1 may be half way back to Docker"
    cluster.run(go_on, 2)
    assert cluster.left() == []
