"""Three control planes: one is left half done, or one dies while others wait for their turn; etcd keeps its quorum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import flows.migrate_cluster
import flows.turn
from cri_switch.model.errors import CriSwitchError, NodeFailed, NotProven, PreflightError, Unreachable
from cri_switch.model.migration import Migration
from cri_switch.model.report import Approval
from cri_switch.rehearsal.world import World
from tasks.step import stands
from tests.rehearsal.engineless import go_on
from tests.rehearsal.killing import Cluster, Kill, Killed, Life

PLANES = ("cp1", "cp2", "cp3")
Outside = Callable[[str, Callable[[], Any]], Any]


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path, control_planes=3)


def with_etcd(world: World) -> list[str]:
    """The nodes whose etcd runs."""
    boxes = {name: [*one.docker.boxes.values(), *one.containerd.boxes.values()] for name, one in world.machines.items()}
    there = (name for name in PLANES if world.machines[name].up)
    return [name for name in there if any(box.name == "etcd" and box.running for box in boxes[name])]


def power_off(world: World, name: str) -> None:
    """Nothing that ran there runs on, and it stays off."""
    machine = world.machines[name]
    machine.reboot()
    machine.down_until = world.clock.now() + 100_000


def killed_in(cluster: Cluster, node: str, step: str, word: int, **spec: Any) -> None:
    with pytest.raises(Killed):
        cluster.run(Life(Kill(node, step, word, False, "nothing"), Counter({(node, step): 1000})).outside, 0, **spec)


def order_of(seen: list[str]) -> Outside:
    """Notes each node when its drain or a later step is first seen."""

    def outside(what: str, act: Callable[[], Any]) -> Any:
        fresh = (name for name, at in stands().items() if not at.startswith(("stage", "open_attempt")))
        seen.extend(name for name in fresh if name not in seen)
        return act()

    return outside


@pytest.mark.parametrize("plane", PLANES)
def test_a_run_that_was_killed_on_one_is_resumed(cluster: Cluster, plane: str) -> None:
    """Its etcd is down, and the backup is another's: only the next run brings it back."""
    killed_in(cluster, plane, "install_runtime", 2)
    assert plane not in with_etcd(cluster.world)
    cluster.run(go_on, 1)
    assert cluster.left() == []


def test_the_half_done_one_goes_before_any_worker(cluster: Cluster) -> None:
    killed_in(cluster, "cp2", "install_runtime", 2, nodes={"limit": ["cp2"]})
    cluster.invariants.broken.clear()  # the choice of that run was cp2 alone
    seen: list[str] = []
    cluster.run(order_of(seen), 1)
    assert seen[:3] == ["cp2", "w1", "w2"]
    assert cluster.left() == []


def test_it_is_not_rescued_while_the_others_cannot_spare_it(cluster: Cluster) -> None:
    """The balancer is away, and cp3: what is left half done serves etcd on containerd, and is one of two."""
    killed_in(cluster, "cp2", "verify_node", 12)
    power_off(cluster.world, "cp3")

    def outside(what: str, act: Callable[[], Any]) -> Any:
        if what.split()[1].startswith("/"):
            raise Unreachable(f"{what}: no answer")
        return act()

    with pytest.raises(NotProven, match="cp2 must not go back to Docker now: etcd would lose its quorum") as caught:
        cluster.run(outside, 1, timeouts={"api": 10})
    assert caught.value.state == "nothing was stopped on the way back, etcd on cp2 runs"
    assert with_etcd(cluster.world) == ["cp1", "cp2"]


def test_another_member_that_is_down_holds_it_back(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in its drain, its etcd runs still: stopping it would leave one of three."""
    killed_in(cluster, "cp2", "drain", 1)
    monkeypatch.setattr(flows.migrate_cluster, "_stage", lambda *_: power_off(cluster.world, "cp3"))
    with pytest.raises(NotProven, match=r"10\.77\.0\.13 port 22: it is down") as caught:
        cluster.run(go_on, 1, timeouts={"api": 10})
    assert caught.value.state == "not started: cp2"
    assert with_etcd(cluster.world) == ["cp1", "cp2"]


def test_one_that_dies_while_a_person_thinks(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def approve(point: str, _text: str, _migration: Migration) -> Approval:
        assert with_etcd(cluster.world) == list(PLANES)
        power_off(cluster.world, "cp3")
        return Approval(point=point, by="me", at="now")

    monkeypatch.setattr(flows.turn, "approve", approve)
    monkeypatch.setattr(flows.turn, "check_askable", lambda _migration: None)
    with pytest.raises(NotProven, match=r"10\.77\.0\.13 port 22: it is down"):
        cluster.run(go_on, 0, approval="before_control_plane", timeouts={"api": 10})
    assert with_etcd(cluster.world) == ["cp1", "cp2"]


def test_one_that_dies_while_another_is_drained(cluster: Cluster) -> None:
    """What is asked before a node is begun may be an hour old: its kubelet runs on, and it is as before."""

    def outside(_what: str, act: Callable[[], Any]) -> Any:
        if stands().get("cp2", "").startswith("drain (not finished)") and cluster.world.machines["cp3"].up:
            power_off(cluster.world, "cp3")
        return act()

    with pytest.raises(NodeFailed, match=r"cp2 is drained, but must not go out any more: .*10\.77\.0\.13") as caught:
        cluster.run(outside, 0, timeouts={"api": 10})
    ends = {node.name: node.outcome for node in caught.value.report.nodes}
    assert ends == {"w1": "migrated", "w2": "migrated", "cp1": "untouched", "cp2": "rolled-back", "cp3": "untouched"}
    assert with_etcd(cluster.world) == ["cp1", "cp2"]
    cp2 = cluster.world.store.get("Node", "cp2")
    assert cp2 is not None
    assert not cp2["spec"].get("unschedulable")
    begun = {entry["step"] for entry in cluster.journal("cp2")}
    assert begun >= {"drain", "stop_kubelet", "rollback"}
    assert "stop_docker" not in begun


def stop_etcd(world: World, name: str) -> None:
    """As an administrator does it; the node and its kubelet are well."""
    world.machines[name].fs.remove("/etc/kubernetes/manifests/etcd.yaml")
    for _ in range(20):
        world.clock.sleep(1)


def test_a_member_that_is_stopped_is_found_before_anything_is_done(cluster: Cluster) -> None:
    stop_etcd(cluster.world, "cp3")
    with pytest.raises(PreflightError, match=r"EtcdUnhealthy.*2 of 3 members of etcd answer"):
        cluster.run(go_on, 0, timeouts={"api": 10})
    assert with_etcd(cluster.world) == ["cp1", "cp2"]
    assert cluster.invariants.taken == set()


def test_a_member_that_stops_later_holds_the_control_plane_back(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workers have gone; the first of the control plane would leave one of three."""
    monkeypatch.setattr(flows.migrate_cluster, "_stage", lambda *_: stop_etcd(cluster.world, "cp3"))
    with pytest.raises(NotProven, match=r"the API server on cp3 answers 500 at /readyz") as caught:
        cluster.run(go_on, 0, timeouts={"api": 10})
    assert caught.value.state == "not started: cp1, cp2, cp3"
    assert with_etcd(cluster.world) == ["cp1", "cp2"]
    assert not cluster.invariants.taken & set(PLANES)


def test_without_a_quorum_nothing_is_taken_out(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API answers no question that etcd has the answer to."""

    def stop_two(*_: object) -> None:
        for name in ("cp2", "cp3"):
            stop_etcd(cluster.world, name)

    monkeypatch.setattr(flows.migrate_cluster, "_stage", stop_two)
    with pytest.raises(CriSwitchError, match="etcdserver: request timed out"):
        cluster.run(go_on, 0, timeouts={"api": 10})
    assert cluster.invariants.taken == set()
