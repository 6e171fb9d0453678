"""However a run breaks, its last word is true: migrated, back on Docker, untouched, or where a node was left."""

from __future__ import annotations

import pkgutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest

import flows.migrate_cluster
from cri_switch.cluster.drain import drain as drain_node
from cri_switch.model.errors import ApiError, CriSwitchError, NodeFailed, Stopped, Unreachable
from cri_switch.model.report import Report
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.node_fault import NodeFault
from flows.batch import Batches
from tasks.step import stands
from tests.rehearsal.engineless import Engineless
from tests.rehearsal.killing import Killed

_RUNTIME = ("systemctl", "restart", "containerd.service")
_NEXT = "cri-switch rollback {node} -f FILE --yes"


class Cluster:
    """A simulated cluster, the runs on it, and how the last one ended."""

    def __init__(self, tmp_path: Path, nodes: int = 4) -> None:
        clock = VirtualClock()
        self.world = build(ClusterSpec(nodes=nodes, control_planes=1), clock)
        clock.passed = self.world.tick
        self.runs = Engineless(self.world, tmp_path)
        self.processes = 0

    def run(self, **spec: Any) -> Report:
        """One process; those of the runs before are dead."""
        self.processes += 1
        name = f"process{self.processes}"
        with ExitStack() as stack:
            for module in ("cri_switch.cluster.lease", "tasks.memory"):
                stack.enter_context(patch(f"{module}.this_process", lambda: name))
            for module in ("cri_switch.cluster.lease", "tasks.rescue"):
                stack.enter_context(patch(f"{module}.surely_dead", lambda who: who != name))
            return self.runs.run(self.runs.migration(**spec))

    def ended(self, kind: type[CriSwitchError], **spec: Any) -> CriSwitchError:
        with pytest.raises(kind) as caught:
            self.run(**spec)
        assert type(caught.value) is kind
        return caught.value

    def goes_on(self) -> None:
        """The next run does the rest, and nothing of ours is left."""
        self.runs.outside = lambda _what, act: act()
        for machine in self.world.machines.values():
            machine.fault_hook = lambda _argv: None
        assert {node.outcome for node in self.run().nodes} <= {"migrated", "skipped"}
        assert self.ours() == {}

    def ours(self) -> dict[str, list[str]]:
        """What is left of a run on each node in the API."""
        left = {}
        for node in self.world.store.list("Node"):
            meta, spec = node["metadata"], node["spec"]
            lines = [key for key in meta.get("annotations") or {} if key.startswith("cri-switch")]
            lines += [taint["key"] for taint in spec.get("taints") or [] if taint["key"].startswith("cri-switch")]
            lines += ["cordoned"] if spec.get("unschedulable") else []
            if lines:
                left[meta["name"]] = sorted(line.removeprefix("cri-switch.io/") for line in lines)
        return left

    def fails(self, node: str, hook: Callable[[tuple[str, ...]], NodeFault | None]) -> None:
        self.world.machines[node].fault_hook = hook


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def outcomes(problem: CriSwitchError) -> dict[str, str]:
    return {node.name: node.outcome for node in problem.report.nodes}


def at(node: str, step: str) -> bool:
    return stands().get(node, "").startswith(step)


def broken(*units: str) -> Callable[[tuple[str, ...]], NodeFault | None]:
    """containerd cannot be restarted, and from then on these units not be started; without units, once."""
    met: list[object] = []

    def hook(argv: tuple[str, ...]) -> NodeFault | None:
        if argv[:3] == _RUNTIME and (units or not met):
            met.append(argv)
            return NodeFault(1, "containerd fails")
        starts = argv[:2] == ("systemctl", "start") and any(unit in argv for unit in units)
        return NodeFault(1, "it does not start") if met and starts else None

    return hook


def test_the_only_control_plane_cannot_be_taken_back(tmp_path: Path) -> None:
    """The API is away, so the report is without it; what is wrong and what to type is said all the same."""
    cluster = Cluster(tmp_path, nodes=3)
    cluster.fails("cp1", broken("docker.service", "docker.socket"))
    problem = cluster.ended(NodeFailed)
    assert outcomes(problem) == {"w1": "migrated", "w2": "migrated", "cp1": "unhealthy"}
    assert problem.state == "migrated: w1, w2; unhealthy: cp1; untouched: none"
    assert problem.next_step.startswith(_NEXT.format(node="cp1"))
    assert [line.split(":")[0] for line in problem.report.warnings] == [
        "the API was not asked how the nodes are now",
        "taints of waiting nodes and held DaemonSets may be left",
    ]
    assert "report-rehearsal" in [page.key for page in cluster.runs.artifacts]


def test_a_cancel_while_the_only_api_is_away(tmp_path: Path) -> None:
    """It ends as a cancel, soon: nothing waits for an API that the run itself took away."""
    cluster = Cluster(tmp_path, nodes=3)
    heard: list[float] = []

    def outside(_what: str, act: Callable[[], Any]) -> Any:
        if at("cp1", "install_runtime (not") and not heard:
            heard.append(cluster.world.clock.now())
            raise KeyboardInterrupt
        return act()

    cluster.runs.outside = outside
    problem = cluster.ended(Stopped)
    assert problem.state == "migrated: w1, w2; cp1 is left at install_runtime (not finished); untouched: none"
    assert outcomes(problem)["cp1"] == "half-done"
    assert cluster.world.clock.now() - heard[0] < 5, "virtual seconds"
    cluster.goes_on()


def test_a_node_that_cannot_be_begun_is_free_again(cluster: Cluster) -> None:
    """Its ssh does not answer when its turn has come, no step began. No node follows it, failures allowed or not."""

    def outside(what: str, act: Callable[[], Any]) -> Any:
        if what.startswith("w2:") and at("w1", "settle (done"):
            raise Unreachable("w2: no connection")
        return act()

    cluster.runs.outside = outside
    problem = cluster.ended(NodeFailed, max_failures=1)
    assert outcomes(problem) == {"w1": "migrated", **dict.fromkeys(("w2", "w3", "cp1"), "untouched")}
    assert problem.state == "migrated: w1; untouched: w2, w3, cp1"
    assert cluster.ours() == {"w1": ["migrated"]}
    cluster.goes_on()


def test_a_batch_that_cannot_be_cordoned_whole(cluster: Cluster) -> None:
    def outside(what: str, act: Callable[[], Any]) -> Any:
        if what == "PATCH /api/v1/nodes/w3" and at("w1", "settle (done"):
            raise ApiError("w3: denied", status=403)
        return act()

    cluster.runs.outside = outside
    problem = cluster.ended(ApiError, max_unavailable=2)
    assert problem.what == "w3: denied", "what the end cannot do for the same reason does not replace it"
    assert problem.state == "migrated: w1; untouched: w2, w3, cp1"
    assert cluster.ours() == {"w1": ["migrated"], "w3": ["waiting"]}
    cluster.goes_on()


def test_a_node_that_stays_cordoned_is_not_called_untouched(cluster: Cluster) -> None:
    """It cannot be begun, and then it cannot be freed either."""

    def outside(what: str, act: Callable[[], Any]) -> Any:
        if at("w1", "settle (done") and what.startswith("w2:"):
            heard.append(what)
            raise Unreachable("w2: no connection")
        if heard and what == "PATCH /api/v1/nodes/w2":
            raise ApiError("w2: denied", status=403)
        return act()

    heard: list[str] = []
    cluster.runs.outside = outside
    problem = cluster.ended(NodeFailed)
    assert outcomes(problem)["w2"] == "half-done"
    assert "w2 is left cordoned, not begun" in problem.state
    assert "cordoned" in cluster.ours()["w2"]
    cluster.goes_on()


def test_an_error_of_the_engine_inside_a_step(cluster: Cluster) -> None:
    """Nothing is undone, as in a kill; but no other node goes out beside the one whose kubelet is stopped."""
    met: list[object] = []

    def outside(_what: str, act: Callable[[], Any]) -> Any:
        if at("w2", "install_runtime (not") and not met:
            met.append(1)
            raise httpx.ConnectError("the server is away")
        return act()

    cluster.runs.outside = outside
    problem = cluster.ended(NodeFailed, max_failures=1)
    assert outcomes(problem) == {"w1": "migrated", "w2": "half-done", "w3": "untouched", "cp1": "untouched"}
    assert problem.state == "migrated: w1; w2 is left at install_runtime (not finished); untouched: w3, cp1"
    cluster.goes_on()


@pytest.mark.parametrize("allowed", [0, 1])
def test_docker_that_cannot_be_removed_after_its_node(cluster: Cluster, allowed: int) -> None:
    def hook(argv: tuple[str, ...]) -> NodeFault | None:
        return (
            NodeFault(100, "dpkg was interrupted")
            if argv[0] == "apt-get" and "remove" in argv and "-s" not in argv
            else None
        )

    cluster.fails("w2", hook)
    problem = cluster.ended(CriSwitchError if allowed else NodeFailed, remove_docker="after_node", max_failures=allowed)
    assert problem.what.startswith("Docker's packages were not removed everywhere:\nw2: ")
    done = ("w1", "w2", "w3", "cp1") if allowed else ("w1", "w2")
    assert outcomes(problem) == dict.fromkeys(("w1", "w2", "w3", "cp1"), "untouched") | dict.fromkeys(done, "migrated")
    (row,) = [node for node in problem.report.nodes if node.name == "w2"]
    assert row.reason.startswith("Docker's packages: ")
    assert cluster.ours() == {"w2": ["migrated"]}
    cluster.goes_on()


@pytest.mark.parametrize("where", ["mend_holds", "taint_waiting"])
def test_a_cancel_before_what_an_earlier_run_left(cluster: Cluster, where: str) -> None:
    dead: list[int] = []

    def outside(_what: str, act: Callable[[], Any]) -> Any:
        if dead or at("w1", "install_runtime (not"):
            dead.append(1)
            raise Killed
        return act()

    cluster.runs.outside = outside
    with pytest.raises(Killed):
        cluster.run()
    cluster.runs.outside = lambda _what, act: act()
    with patch.object(flows.migrate_cluster, where, _interrupted):
        problem = cluster.ended(Stopped)
    assert problem.state == "migrated: none; w1 is left half done by an earlier run; untouched: w2, w3, cp1"
    assert problem.report is None or outcomes(problem)["w1"] == "half-done"
    cluster.goes_on()


@pytest.mark.parametrize("back", [True, False])
def test_a_cancel_when_another_node_of_the_batch_has_failed(cluster: Cluster, back: bool) -> None:
    """w2 is back on Docker, or unhealthy: that is not forgotten for the cancel that comes in w3."""
    cluster.fails("w2", broken() if back else broken("docker.service", "kubelet.service"))
    over, one = threading.Event(), Batches._one

    def followed(batches: Batches, node: Any) -> None:
        try:
            one(batches, node)
        finally:
            if node.name == "w2":
                over.set()

    def drained(api: Any, node: Any, *args: Any, **kwargs: Any) -> Any:
        if node.name == "w3":
            assert over.wait(60)
            raise KeyboardInterrupt
        return drain_node(api, node, *args, **kwargs)

    with patch.object(Batches, "_one", followed), patch("tasks.service.drain_node", drained):
        problem = cluster.ended(Stopped, max_unavailable=2, max_failures=1)
    how = "back on Docker" if back else "unhealthy"
    assert problem.state == f"migrated: w1; {how}: w2; w3 is left at drain (not finished); untouched: cp1"
    assert outcomes(problem)["w2"] == ("rolled-back" if back else "unhealthy")
    assert problem.next_step.startswith(_NEXT.format(node="w2")) is not back


ENDING = {
    "the API is asked": "tasks.finish.inventory",
    "taints are taken away": "tasks.taints.remove_waiting_taint",
    "DaemonSets are put back": "tasks.hold.put_back_all",
    "the report is shown": "tasks.report.markdown",
    "the Lease is freed": "cri_switch.cluster.lease.Lease.release",
}


@pytest.mark.parametrize("target", ENDING.values(), ids=list(ENDING))
@pytest.mark.parametrize("unhealthy", [False, True])
def test_a_cancel_at_the_very_end(cluster: Cluster, target: str, unhealthy: bool) -> None:
    """What the run came to stays said, and nothing is left for which only it was there."""
    if unhealthy:
        cluster.fails("w2", broken("docker.service", "kubelet.service"))
    with _interrupted_once(target):
        problem = cluster.ended(NodeFailed if unhealthy and "Lease" not in target else Stopped)
    if unhealthy:
        assert problem.state == "migrated: w1; unhealthy: w2; untouched: w3, cp1"
        assert problem.next_step.startswith(_NEXT.format(node="w2"))
    else:
        assert problem.state == "migrated: w1, w2, w3, cp1; untouched: none"
    if problem.report is not None:
        wanted = {"migrated", "unhealthy", "untouched"} if unhealthy else {"migrated"}
        assert set(outcomes(problem).values()) == wanted
    assert (problem.report is None) is ("Lease" in target)
    assert not any("waiting" in lines for lines in cluster.ours().values())


@contextmanager
def _interrupted_once(target: str) -> Iterator[None]:
    """Ctrl-C in that function, once the first node has arrived."""
    real = pkgutil.resolve_name(target)
    met: list[object] = []

    def function(*args: Any, **kwargs: Any) -> Any:
        if at("w1", "settle (done") or at("w1", "remove_docker (done"):
            met.append(1)
            if len(met) == 1:
                raise KeyboardInterrupt
        return real(*args, **kwargs)

    with patch(target, function):
        yield
    assert met


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt
