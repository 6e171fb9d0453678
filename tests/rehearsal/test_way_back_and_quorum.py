"""The way back of a control-plane node that fails stops its etcd: not while the others could not spare it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.errors import ControlPlaneNotWell, CriSwitchError, NodeFailed, NotProven, Stopped
from cri_switch.node.command import Result, sudo
from cri_switch.node.transfer import Download
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.connection import MemoryConnection
from cri_switch.rehearsal.world import World
from tasks import stop
from tasks.step import stands
from tests.rehearsal.engineless import Engineless, go_on
from tests.rehearsal.test_three_control_planes import PLANES, power_off, stop_etcd, with_etcd

Upset = Callable[[World], None]


class Watched:
    """Runs of three control planes; how few of their etcds ran at once is kept in `fewest`."""

    def __init__(self, directory: Path, **spec: Any) -> None:
        clock = VirtualClock()
        self.world = build(ClusterSpec(nodes=5, control_planes=3, replicas=2, **spec), clock)
        clock.passed = self.world.tick
        self.runs = Engineless(self.world, directory)
        self.fewest = len(PLANES)

    def run(self, step: str, upset: Upset) -> dict[str, str]:
        """A migration in which `step` of cp2 fails after the upset; how each node ended, and what is said of cp2."""
        done: list[str] = []

        def outside(what: str, act: Callable[[], Any]) -> Any:
            self.fewest = min(self.fewest, len(with_etcd(self.world)))
            follows = threading.current_thread().name.startswith("follow")
            if not follows and not done and stands().get("cp2", "") == f"{step} (not finished)":
                done.append(what)
                upset(self.world)
                raise NotProven("a failure")
            return act()

        self.runs.outside = outside
        with pytest.raises(NodeFailed) as caught:
            self.runs.run(self.runs.migration(timeouts={"api": 10}, nodes={"limit": ["w1", "w2", "cp2"]}))
        self.runs.outside = go_on
        (said,) = [node.reason for node in caught.value.report.nodes if node.name == "cp2"]
        ends = {node.name: node.outcome for node in caught.value.report.nodes}
        return {**ends, "said": said}

    def runtime(self, name: str) -> str:
        node = self.world.store.get("Node", name)
        assert node is not None
        return str(node["status"]["nodeInfo"]["containerRuntimeVersion"]).partition(":")[0]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def cp3_dies(world: World) -> None:
    power_off(world, "cp3")


def cp3_is_stopped(world: World) -> None:
    stop_etcd(world, "cp3")


def test_one_that_the_others_can_spare_goes_back(watched: Watched) -> None:
    ends = watched.run("verify_node", lambda _world: None)
    assert ends["cp2"] == "rolled-back"
    assert watched.runtime("cp2") == "docker"
    assert with_etcd(watched.world) == list(PLANES)


@pytest.mark.parametrize("upset", [cp3_dies, cp3_is_stopped])
def test_another_that_is_down_keeps_it_where_it_is(watched: Watched, upset: Upset) -> None:
    """One of three members would be left, and no API; the next command is said, and it works once cp3 is back."""
    ends = watched.run("verify_node", upset)
    assert ends["cp2"] == "unhealthy"
    assert watched.fewest == 2
    assert watched.runtime("cp2") == "containerd"
    assert "a failure" in ends["said"]
    assert "cp2 must not go back to Docker now: etcd would lose its quorum: 1 of 3 members" in ends["said"]
    assert "nothing was stopped" in ends["said"]
    assert "cri-switch rollback cp2 -f FILE --yes" in ends["said"]
    revive(watched.world)
    watched.runs.rollback(watched.runs.migration(), "cp2")
    assert watched.runtime("cp2") == "docker"
    assert with_etcd(watched.world) == list(PLANES)


def test_the_next_run_migrates_all(watched: Watched) -> None:
    """Once cp3 is back, the node that was left half done goes first."""
    watched.run("settle", cp3_dies)
    revive(watched.world)
    watched.runs.run(watched.runs.migration())
    assert {watched.runtime(name) for name in watched.world.machines} == {"containerd"}
    assert not any(node["spec"].get("unschedulable") for node in watched.world.store.list("Node"))
    assert with_etcd(watched.world) == list(PLANES)


def test_one_that_comes_back_in_time_is_waited_for(watched: Watched) -> None:
    def away_for_a_while(world: World) -> None:
        power_off(world, "cp3")
        world.machines["cp3"].down_until = world.clock.now() + 5

    ends = watched.run("verify_node", away_for_a_while)
    assert ends["cp2"] == "rolled-back"
    assert watched.fewest == 2


def test_a_docker_that_would_be_stopped_is_not(tmp_path: Path) -> None:
    """Drained, with its etcd in a self-contained Docker that took the staged containerd."""
    watched = Watched(tmp_path, self_contained_docker=PLANES)

    def restarted(world: World) -> None:
        _root(world, "cp2", "systemctl", "restart", "docker.service")
        for _ in range(60):
            world.clock.sleep(1)
        power_off(world, "cp3")

    ends = watched.run("drain", restarted)
    assert ends["cp2"] == "unhealthy"
    assert watched.fewest == 2
    assert with_etcd(watched.world) == ["cp1", "cp2"]


def test_without_a_quorum_there_is_none_to_lose(watched: Watched) -> None:
    """Two are down: waiting would save nothing, and Docker runs the node's pods again before the API is needed."""

    def two_die(world: World) -> None:
        power_off(world, "cp1")
        power_off(world, "cp3")

    ends = watched.run("verify_node", two_die)
    assert "must not go back" not in ends["said"]
    boxes = watched.world.machines["cp2"].docker.boxes.values()
    assert any(box.name == "etcd" and box.running for box in boxes)


def another_dies_once_it_may_go_back(watched: Watched, then: Callable[[], None] = lambda: None) -> CriSwitchError:
    """cp2 serves on containerd and a person asks it back; what the control plane is asked after its drain is the last
    that cp3 answers."""
    watched.runs.run(watched.runs.migration(remove_docker="never"))
    asked: list[str] = []

    def outside(what: str, act: Callable[[], Any]) -> Any:
        answer = act()
        if what.startswith("cp3: ") and "member list" in what:
            asked.append(what)
            if len(asked) == 2:
                power_off(watched.world, "cp3")
                then()
        return answer

    watched.runs.outside = outside
    with pytest.raises((ControlPlaneNotWell, Stopped)) as caught:
        watched.runs.rollback(watched.runs.migration(timeouts={"api": 10}), "cp2")
    assert len(asked) == 2
    watched.runs.outside = go_on
    assert watched.runtime("cp2") == "containerd"
    assert with_etcd(watched.world) == ["cp1", "cp2"]
    return caught.value


def cordoned(world: World, name: str) -> bool:
    node = world.store.get("Node", name)
    assert node is not None
    return bool(node["spec"].get("unschedulable"))


def test_one_that_a_person_asks_back_serves_again_where_it_is_refused_after_its_drain(watched: Watched) -> None:
    problem = another_dies_once_it_may_go_back(watched)
    assert problem.what.startswith("cp2 must not go back to Docker now: etcd would lose its quorum")
    assert problem.state.endswith("node/cp2 uncordoned; it serves on the new runtime still")
    assert not cordoned(watched.world, "cp2")


def test_a_cancel_while_it_waits_says_that_nothing_is_half_way(watched: Watched) -> None:
    problem = another_dies_once_it_may_go_back(watched, stop.ask_to_stop)
    assert isinstance(problem, Stopped)
    assert problem.state == "cp2 runs what it ran; it may be cordoned"
    revive(watched.world)
    watched.runs.rollback(watched.runs.migration(), "cp2")
    assert watched.runtime("cp2") == "docker"
    assert not cordoned(watched.world, "cp2")


def revive(world: World) -> None:
    """cp3 is up, and its etcd's manifest is there."""
    cp3, cp1 = world.machines["cp3"], world.machines["cp1"]
    cp3.down_until = min(cp3.down_until, world.clock.now())
    path = "/etc/kubernetes/manifests/etcd.yaml"
    if not cp3.fs.exists(path):
        cp3.fs.write(path, (cp1.fs.text(path) or "").replace(cp1.address, cp3.address).replace("cp1", "cp3"), 0o600)
    for _ in range(180):
        world.clock.sleep(1)


def _root(world: World, name: str, *argv: str) -> None:
    MemoryConnection(world.machines[name], Result, Download).run(sudo(*argv))
