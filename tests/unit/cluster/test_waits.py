"""Waits: the node's status, its own pods, the API's health, the gate."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from cri_switch.cluster.api_health import wait_api
from cri_switch.cluster.gate import gate
from cri_switch.cluster.node_pods import lack, wait_node_pods
from cri_switch.cluster.node_status import missing, wait_runtime
from cri_switch.cluster.pods import epoch
from cri_switch.cluster.snapshot import take_snapshot
from cri_switch.cluster.transport import Answer, NotSent, Request
from cri_switch.cluster.wait import Pace, until
from cri_switch.cluster.workloads import controllers_on
from cri_switch.model.errors import ApiError, Moved, RemoteTimeout, Stopped, Unreachable
from tests.unit.cluster.fake_api import Clock, FakeApi, Obj, add_node, cluster, pod, status

STARTED = epoch("2026-11-23T18:00:00Z")


def node(ready: str = "True", heartbeat: str = "2026-11-23T18:00:05Z", runtime: str = "containerd://1.4.13") -> Obj:
    condition = {"type": "Ready", "status": ready, "lastHeartbeatTime": heartbeat, "reason": "R", "message": "m"}
    return {
        "metadata": {"name": "w1", "uid": "uid-w1"},
        "spec": {},
        "status": {"conditions": [condition], "nodeInfo": {"containerRuntimeVersion": runtime}},
    }


@pytest.mark.parametrize(
    ("given", "newer_than", "lacks"),
    [
        (node(), STARTED, []),
        (node(heartbeat="2026-11-23T18:00:00Z"), STARTED + 0.3, []),  # the API keeps whole seconds
        (node(heartbeat="2026-11-23T17:59:59Z"), STARTED + 0.3, ["last heartbeat 2026-11-23T17:59:59Z"]),
        (node(ready="False"), STARTED, ["Ready is False (R: m)"]),
        (node(ready="Unknown"), STARTED, ["Ready is Unknown"]),
        (node(runtime="docker://20.10.5"), STARTED, ["it reports docker://20.10.5"]),
        (node(ready="False", runtime=""), STARTED + 60, ["last heartbeat", "Ready is False", "no runtime"]),
        ({"metadata": {}, "status": {}}, STARTED, ["no condition Ready"]),
    ],
)
def test_missing(given: Obj, newer_than: float, lacks: list[str]) -> None:
    text = missing(given, "containerd", newer_than)
    assert bool(text) == bool(lacks)
    assert all(each in text for each in lacks)


def test_wait_runtime_through_an_api_outage() -> None:
    api, clock = FakeApi(), Clock()
    ref = add_node(api)
    client = cluster(api)
    assert client.get("Node", "w1")

    def away(request: Request) -> Answer | None:
        if clock() < 1005:
            raise NotSent("connection refused")
        if clock() < 1008:
            return status(403, "Forbidden", 'nodes is forbidden: User "x" cannot get resource "nodes"')
        if clock() < 1010:
            return Answer(500, "not ready")
        if clock() < 1013:  # all clients of the cluster have waited for it
            return status(429, "TooManyRequests", "too many requests, please try again later")
        return None

    api.answers.append(away)
    clock.at(15, lambda: api.add("nodes", node()))
    waited: dict[str, Any] = {"runtime": "containerd", "newer_than": STARTED, "sleep": clock.sleep, "clock": clock}
    assert wait_runtime(client, ref, seconds=60, **waited) == "containerd://1.4.13"
    assert 15 <= clock() - 1000 < 17
    api.answers.clear()
    api.add("nodes", node(runtime="docker://20.10.5"))
    with pytest.raises(RemoteTimeout, match=r"w1: Ready on containerd: not within 30 s: it reports docker://20\.10\.5"):
        wait_runtime(client, ref, seconds=30, **waited)
    api.objects["nodes", "", "w1"]["metadata"]["uid"] = "other"
    with pytest.raises(Moved):
        wait_runtime(client, ref, seconds=30, **waited)


def test_until() -> None:
    clock = Clock()
    texts = ["a", "b", ""]
    assert until(lambda: texts.pop(0), "x", 10, Pace(sleep=clock.sleep, clock=clock, first=1.0)) == 2
    with pytest.raises(RemoteTimeout, match="x: not within 10 s: still"):
        until(lambda: "still", "x", 10, Pace(sleep=clock.sleep, clock=clock))
    with pytest.raises(Stopped):
        until(lambda: "still", "x", 10, Pace(stop=lambda: True, sleep=clock.sleep, clock=clock))

    def refused() -> str:
        raise ApiError("gone", status=410)

    with pytest.raises(ApiError):
        until(refused, "x", 10, Pace(sleep=clock.sleep, clock=clock))

    def away() -> str:
        raise Unreachable("no route")

    with pytest.raises(RemoteTimeout, match="no route"):
        until(away, "x", 10, Pace(sleep=clock.sleep, clock=clock))


@pytest.mark.parametrize(("code", "said"), [(403, "the API does not let us in"), (429, "the API has too much to do")])
def test_what_is_missing_while_the_api_does_not_serve_us(code: int, said: str) -> None:
    clock = Clock()

    def look() -> str:
        raise ApiError("its words", status=code)

    with pytest.raises(RemoteTimeout, match=rf"{said} \(its words\)"):
        until(look, "x", 10, Pace(sleep=clock.sleep, clock=clock))


def test_pauses_double_up_to_the_longest() -> None:
    assert list(islice(Pace().pauses(), 6)) == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert list(islice(Pace(every=2.0, first=2.0).pauses(), 2)) == [2.0, 2.0]


@pytest.mark.parametrize(
    ("given", "lacks"),
    [
        (pod("p", runtime="containerd"), ""),
        (pod("p", runtime="docker"), "container c is docker, not containerd"),
        (pod("p", runtime="containerd", ready=False), "not Ready"),
        (pod("p", runtime="containerd", ready=False, mirror=True), ""),
        (pod("p", runtime="docker", mirror=True), "container c is docker, not containerd"),
        ({**pod("p"), "status": {}}, "0 of 1 containers reported"),
        (
            {**pod("p"), "status": {"containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "Why"}}}]}},
            "container c does not run (Why)",
        ),
    ],
)
def test_lack(given: Obj, lacks: str) -> None:
    assert lack(given, "containerd") == lacks


def test_a_container_that_only_the_api_calls_running_is_lacking() -> None:
    given = pod("p", runtime="docker")
    identity = given["status"]["containerStatuses"][0]["containerID"].removeprefix("docker://")
    assert lack(given, "docker", {identity, "another"}) == ""
    assert lack(given, "docker", {"another"}) == "container c is not started again yet"


def test_wait_node_pods() -> None:
    api, clock = FakeApi(), Clock()
    ref = add_node(api)
    for name in ("agent", "broken"):
        api.add("daemonsets", {"metadata": {"name": name, "namespace": "lab"}, "spec": {}})
    api.add("pods", pod("agent-1", owner="DaemonSet/agent"))
    api.add("pods", pod("broken-1", owner="DaemonSet/broken", ready=False))
    api.add("pods", pod("etcd-w1", owner="Node/w1", mirror=True))
    api.add("pods", pod("web-1", owner="StatefulSet/web"))
    api.add("statefulsets", {"metadata": {"name": "web", "namespace": "lab"}, "spec": {"replicas": 1}})
    expected = controllers_on(cluster(api), ref)["own_pods"]
    assert [(e["kind"], e["name"], e["ready"]) for e in expected] == [
        ("DaemonSet", "agent", True),
        ("DaemonSet", "broken", False),
        ("Pod", "etcd-w1", True),
    ]

    def wait(seconds: float = 20) -> str:
        return wait_node_pods(
            cluster(api), ref, runtime="containerd", expected=expected, seconds=seconds, sleep=clock.sleep, clock=clock
        )

    with pytest.raises(RemoteTimeout) as late:
        wait()
    assert "DaemonSet lab/agent: container c is docker, not containerd" in late.value.what
    assert "Pod lab/etcd-w1: container c is docker" in late.value.what
    assert "broken" not in late.value.what
    api.remove("pods", "lab", "agent-1")
    api.add("pods", pod("etcd-w1", owner="Node/w1", mirror=True, runtime="containerd", ready=False))
    with pytest.raises(RemoteTimeout, match=r"20 s: DaemonSet lab/agent: no pod\nnext"):
        wait()
    api.add("pods", pod("agent-old", owner="DaemonSet/agent", phase="Failed", runtime="docker"))
    clock.at(clock() - 1000 + 5, lambda: api.add("pods", pod("agent-2", owner="DaemonSet/agent", runtime="containerd")))
    assert wait() == "2 own pods run on containerd, not judged because not ready before: DaemonSet lab/broken"
    api.remove("pods", "lab", "agent-2")
    api.remove("daemonsets", "lab", "agent")
    assert wait().startswith("1 own pods run on containerd")


def test_wait_node_pods_asks_the_node_until_the_api_is_no_longer_behind() -> None:
    api, clock, asked = FakeApi(), Clock(), list[float]()
    ref = add_node(api)
    api.add("pods", pod("etcd-w1", owner="Node/w1", mirror=True, runtime="docker"))
    expected = controllers_on(cluster(api), ref)["own_pods"]
    (known,) = cluster(api).list("Pod")[0]["status"]["containerStatuses"]
    identity = known["containerID"].removeprefix("docker://")

    def alive() -> set[str]:
        asked.append(clock())
        return {identity} if len(asked) > 3 else set()

    wait_node_pods(
        cluster(api), ref, runtime="docker", expected=expected, seconds=20, alive=alive, sleep=clock.sleep, clock=clock
    )
    assert len(asked) == 4


def test_wait_api() -> None:
    api, clock, said = FakeApi(), Clock(), list[str]()

    def starting(request: Request) -> Answer | None:
        if clock() < 1003:
            raise NotSent("connection refused")
        if clock() < 1004:
            return Answer(403, "forbidden")
        return Answer(500, "[-]etcd failed") if clock() < 1006 else None

    api.answers.append(starting)
    took = wait_api(cluster(api), seconds=60, say=said.append, sleep=clock.sleep, clock=clock)
    assert 6 <= took < 7
    assert said == ["/readyz answers 403: forbidden", "/readyz answers 500: [-]etcd failed", "/readyz answers 200"]
    api.answers.append(lambda _r: Answer(500, "no"))
    with pytest.raises(RemoteTimeout, match="/readyz answers 500: no"):
        wait_api(cluster(api), seconds=5, sleep=clock.sleep, clock=clock)


def crash(name: str, reason: str = "CrashLoopBackOff", owner: str = "ReplicaSet/web-5d") -> Obj:
    found = pod(name, owner=owner, ready=False)
    found["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": reason}}
    return found


@pytest.mark.parametrize(
    ("later", "problem"),
    [
        (None, ""),
        (crash("new", owner="ReplicaSet/api-1"), "ReplicaSet lab/api-1: CrashLoopBackOff"),
        (crash("again"), ""),  # the same controller and reason as before
        (crash("again", "ImagePullBackOff"), "ReplicaSet lab/web-5d: ImagePullBackOff"),
        (crash("run", owner="Job/minutely-27934560"), ""),  # a CronJob's that failed before
        (pod("bare", owner="", phase="Failed"), "Pod lab/bare: Failed"),
        (pod("job", owner="Job/x", phase="Failed"), ""),
    ],
)
def test_gate(later: Obj | None, problem: str) -> None:
    api, clock = FakeApi(), Clock()
    add_node(api)
    api.add("pods", crash("old"))
    api.add("pods", crash("run-0", owner="Job/minutely-27934559"))
    before = take_snapshot(cluster(api))
    if later:
        api.add("pods", later)
    given: dict[str, Any] = {"seconds": 20, "before": before, "sleep": clock.sleep, "clock": clock}
    if problem:
        with pytest.raises(RemoteTimeout, match=problem):
            gate(cluster(api), **given)
    else:
        assert "failing as before: " in gate(cluster(api), **given)
        assert clock.slept == [2.0], "two looks"


def test_gate_waits_for_nodes_and_begins_anew() -> None:
    api, clock = FakeApi(), Clock()
    add_node(api)

    def turn(value: str) -> None:
        api.objects["nodes", "", "w1"]["status"]["conditions"][0]["status"] = value

    turn("False")
    clock.at(4, lambda: turn("True"))
    clock.at(6, lambda: turn("Unknown"))
    clock.at(8, lambda: turn("True"))
    said: list[str] = []
    opened = gate(cluster(api), seconds=60, say=said.append, sleep=clock.sleep, clock=clock)
    assert opened.startswith("all nodes Ready")
    assert clock() == 1010
    assert said == ["the gate waits: node w1 is not Ready"] * 2, "each time that it begins to wait, not at each look"
    turn("False")
    with pytest.raises(RemoteTimeout, match="node w1 is not Ready"):
        gate(cluster(api), seconds=10, sleep=clock.sleep, clock=clock)
    before = take_snapshot(cluster(api))
    assert gate(cluster(api), seconds=10, before=before, sleep=clock.sleep, clock=clock)
