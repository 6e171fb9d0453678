"""Critical DaemonSets during a migration: off the node while it is switched, elsewhere untouched, exactly as before."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from cri_switch.cluster.drain import drain as real_drain
from cri_switch.cluster.hold import wait_back as real_wait
from cri_switch.model.errors import CriSwitchError, NodeFailed, PreflightError, RemoteTimeout
from cri_switch.model.node_ref import NodeRef
from cri_switch.rehearsal.build import ClusterSpec, build, rest
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.node_fault import NodeFault
from cri_switch.rehearsal.store import Event
from cri_switch.rehearsal.world import World
from tasks import diary
from tests.rehearsal.engineless import Engineless
from tests.rehearsal.held_agent import NAME, daemonset, labelled, may_be_held

Obj = dict[str, Any]


class Killed(BaseException):
    """SIGKILL: nothing of the run's own code sees it."""


class Watched:
    """A world in which it is written down what becomes of the agent's pods and what nodes are told."""

    def __init__(self, tmp_path: Path, *, right: bool = True) -> None:
        clock = VirtualClock()
        self.world = build(ClusterSpec(nodes=5, control_planes=1), clock)
        may_be_held(self.world, right=right)
        clock.passed = self.world.tick
        self.runs = Engineless(self.world, tmp_path)
        self.before = daemonset(self.world)
        self.deleted: list[str] = []
        """Nodes whose agent was deleted, in order."""
        self.wrong: list[str] = []
        self.fails: tuple[str, tuple[str, ...]] = ("", ())
        """Node and program, that fails there once."""
        self.world.store.subscribe(self._pods)
        for name, machine in self.world.machines.items():
            machine.fault_hook = self._commands(name)

    def _commands(self, node: str) -> Any:
        def look(argv: tuple[str, ...]) -> NodeFault | None:
            if argv[:3] == ("systemctl", "stop", "kubelet.service") and self.agents(node):
                self.wrong.append(f"the kubelet of {node} is stopped with its agent on it")
            if node == self.fails[0] and self.fails[1] and argv[: len(self.fails[1])] == self.fails[1]:
                self.fails = ("", ())
                return NodeFault(1, "it failed, as it was meant to")
            return None

        return look

    def _pods(self, event: Event) -> None:
        pod = event.object
        if event.kind == "Pod" and event.type == "DELETED" and pod["metadata"].get("labels", {}).get("app") == "agent":
            self.deleted.append(pod["spec"]["nodeName"])

    def agents(self, node: str = "") -> list[Obj]:
        return [
            pod
            for pod in self.world.store.list("Pod", "shop")
            if pod["metadata"].get("labels", {}).get("app") == "agent" and node in ("", pod["spec"]["nodeName"])
        ]

    def whole(self) -> None:
        """Nothing of ours is left, and every node has its agent, which runs."""
        assert daemonset(self.world) == self.before
        assert labelled(self.world) == []
        rest(self.world)
        assert len(self.agents()) == 5
        assert self.world.complaints == []
        assert self.wrong == []


@contextmanager
def killed_after(watched: Watched, step: str) -> Iterator[None]:
    """The first time that a step has ended."""
    write, done = diary.write_down, list[str]()

    def die(attempt: Any, migration: Any, name: str, event: str, summary: str = "") -> None:
        write(attempt, migration, name, event, summary)  # type: ignore[arg-type]
        if name == step and event in ("done", "noop") and not done:
            done.append(name)
            raise Killed(step)

    with patch("tasks.step.write_down", die):
        yield


def steps_of(world: World) -> list[Obj]:
    return [event.object for event in world.store.events if event.kind == "DaemonSet"]


def test_each_pod_goes_once_with_its_node_and_no_other(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    report = watched.runs.run(watched.runs.migration(hold_daemonsets=[NAME]))
    assert {node.outcome for node in report.nodes} == {"migrated"}
    assert sorted(watched.deleted) == ["cp1", "w1", "w2", "w3", "w4"]
    watched.whole()
    held = [obj for obj in steps_of(watched.world) if obj["metadata"]["name"] == "agent"]
    assert {"type": "OnDelete"} in [obj["spec"].get("updateStrategy") for obj in held]


def test_without_it_the_kubelet_is_stopped_with_the_pod_on_it(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.runs.run(watched.runs.migration())
    assert len(watched.wrong) == 5
    assert watched.deleted == []


def test_nodes_of_one_batch_are_released_together(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.runs.run(watched.runs.migration(hold_daemonsets=[NAME], max_unavailable=3))
    assert sorted(watched.deleted) == ["cp1", "w1", "w2", "w3", "w4"]
    watched.whole()


@pytest.mark.parametrize("fails", [False, True])
def test_none_is_held_while_another_waits_for_its_pod(
    tmp_path: Path, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """w3's drain lasts until w2 waits for its new agent: a hold now would take that one away again."""
    caplog.set_level("INFO", "rehearsal")
    watched, back = Watched(tmp_path), threading.Event()

    def drain(api: Any, node: NodeRef, *args: Any, **kwargs: Any) -> Any:
        if node.name == "w3":
            assert back.wait(60)
        return real_drain(api, node, *args, **kwargs)

    def wait(api: Any, node: NodeRef, **kwargs: Any) -> str:
        if node.name == "w2" and not back.is_set():
            back.set()
            give_up = time.monotonic() + 60
            while "w3" not in labelled(watched.world) and "node=w3 waits for the nodes that" not in caplog.text:
                assert time.monotonic() < give_up
                time.sleep(0.005)
            if fails:
                raise RemoteTimeout("it does not come")
        return real_wait(api, node, **kwargs)

    migration = watched.runs.migration(hold_daemonsets=[NAME], max_unavailable=2, max_failures=1)
    with patch("tasks.service.drain_node", drain), patch("tasks.hold.wait_back", wait):
        if fails:
            with pytest.raises(NodeFailed, match="it does not come"):
                watched.runs.run(migration)
        else:
            watched.runs.run(migration)
    assert fails or watched.deleted.count("w2") == 1
    assert watched.deleted.count("w3") == 1
    watched.whole()


@pytest.mark.parametrize("command", [("docker", "rm"), ("crictl", "info"), ("systemctl", "start", "kubelet.service")])
def test_a_node_that_fails_and_goes_back_has_its_pod_again(tmp_path: Path, command: tuple[str, ...]) -> None:
    watched = Watched(tmp_path)
    watched.fails = ("w1", command)
    with pytest.raises(CriSwitchError):
        watched.runs.run(watched.runs.migration(hold_daemonsets=[NAME]))
    watched.whole()
    assert set(watched.deleted) == {"w1"}


@pytest.mark.parametrize("step", ["hold_daemonsets", "stop_docker", "verify_node", "release_daemonsets", "uncordon"])
@pytest.mark.parametrize("same_settings", [True, False])
def test_killed_the_next_run_puts_it_back(tmp_path: Path, step: str, same_settings: bool) -> None:
    watched = Watched(tmp_path)
    migration = watched.runs.migration(hold_daemonsets=[NAME])
    with killed_after(watched, step), pytest.raises(Killed):
        watched.runs.run(migration)
    if step in ("hold_daemonsets", "stop_docker", "verify_node"):
        assert daemonset(watched.world) != watched.before
        assert labelled(watched.world) == ["w1"]
    report = watched.runs.run(migration if same_settings else watched.runs.migration())
    assert {node.outcome for node in report.nodes} == {"migrated"}
    assert daemonset(watched.world) == watched.before
    assert labelled(watched.world) == []


def test_killed_and_the_node_left_out_of_the_next_run(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    with killed_after(watched, "hold_daemonsets"), pytest.raises(Killed):
        watched.runs.run(watched.runs.migration(hold_daemonsets=[NAME]))
    watched.runs.run(watched.runs.migration(hold_daemonsets=[NAME], nodes={"exclude": ["w1"]}))
    assert daemonset(watched.world) == watched.before
    assert labelled(watched.world) == []
    assert len(watched.agents("w1")) == 1  # cordoned still, as the killed run left it


def test_an_administrators_change_meanwhile_stays(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    with killed_after(watched, "stop_docker"), pytest.raises(Killed):
        watched.runs.run(watched.runs.migration(hold_daemonsets=[NAME]))

    def edit(found: Obj) -> None:
        found["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "NEW", "value": "1"}]

    watched.world.store.change("DaemonSet", "agent", "shop", edit)
    watched.runs.run(watched.runs.migration(hold_daemonsets=[NAME]))
    edit(watched.before)
    watched.whole()


@pytest.mark.parametrize(
    ("name", "right", "said"),
    [
        ("shop/agnet", True, r"UnknownDaemonSet.*\n?.*shop/agent\?"),
        (NAME, False, r"MissingRight.*patch daemonsets"),
    ],
)
def test_what_the_preflight_says(tmp_path: Path, name: str, right: bool, said: str) -> None:
    watched = Watched(tmp_path, right=right)
    with pytest.raises(PreflightError, match=said):
        watched.runs.run(watched.runs.migration(hold_daemonsets=[name]))
    watched.whole()


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    version = watched.world.store.get("DaemonSet", "agent", "shop")
    watched.runs.run(watched.runs.migration(hold_daemonsets=[NAME], dry_run=True))
    assert watched.world.store.get("DaemonSet", "agent", "shop") == version
    assert labelled(watched.world) == []
