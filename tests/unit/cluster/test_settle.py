"""Settled: controllers whole, pods started, volumes let go; and the snapshot of all workloads."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from cri_switch.cluster.controller_status import short
from cri_switch.cluster.counts import Count, unready
from cri_switch.cluster.pods import EvictedPod
from cri_switch.cluster.settle import settled
from cri_switch.cluster.snapshot import WorkloadSnapshot, take_snapshot, wait_whole
from cri_switch.cluster.transport import Answer
from cri_switch.cluster.workloads import controllers_on
from cri_switch.model.errors import RemoteTimeout
from cri_switch.model.node_ref import NodeRef
from tests.unit.cluster.fake_api import Clock, FakeApi, Obj, add_node, cluster, pod


def controller(kind: str, name: str, replicas: int | None, ready: int | None, **more: Any) -> Obj:
    spec = {} if replicas is None else {"replicas": replicas}
    status = {} if ready is None else {"readyReplicas": ready}
    metadata = {"name": name, "namespace": "lab", "generation": 2}
    return {"kind": kind, "metadata": metadata, "spec": spec, "status": {"observedGeneration": 2, **status, **more}}


def job(active: int, **conditions: str) -> Obj:
    listed = [{"type": kind, "status": value} for kind, value in conditions.items()]
    metadata = {"name": "j", "namespace": "lab"}
    return {"kind": "Job", "metadata": metadata, "spec": {}, "status": {"active": active, "conditions": listed}}


@pytest.mark.parametrize(
    ("given", "before", "text"),
    [
        (controller("Deployment", "web", 4, 4), None, ""),
        (controller("Deployment", "web", 4, 3), None, "3 of 4 ready"),
        (controller("Deployment", "web", 4, 3), 3, ""),
        (controller("Deployment", "web", 2, 2), 4, ""),
        (controller("Deployment", "web", 0, None), None, ""),
        (controller("StatefulSet", "s", None, None), None, "0 of 1 ready"),
        (controller("Deployment", "web", 4, 4, observedGeneration=1), None, "its controller has not seen"),
        (job(0), None, "0 of 1 ready"),
        (job(1), None, ""),
        (job(0, Complete="True"), None, ""),
        (job(0, Failed="True"), None, ""),
        (job(0, Suspended="False"), None, "0 of 1 ready"),
    ],
)
def test_short(given: Obj, before: int | None, text: str) -> None:
    assert short(given, before).startswith(text)
    assert bool(short(given, before)) == bool(text)


class Bench:
    def __init__(self) -> None:
        self.api, self.clock = FakeApi(), Clock()
        self.node: NodeRef = add_node(self.api)
        self.api.add("deployments", controller("Deployment", "web", 2, 2))
        owner = [{"kind": "Deployment", "name": "web", "controller": True}]
        self.api.add("replicasets", {"metadata": {"name": "web-5d", "namespace": "lab", "ownerReferences": owner}})

    def ready(self, count: int) -> None:
        self.api.objects["deployments", "lab", "web"]["status"]["readyReplicas"] = count

    def settled(self, *evicted: EvictedPod, **more: Any) -> str:
        given: dict[str, Any] = {"seconds": 20, "sleep": self.clock.sleep, "clock": self.clock, **more}
        return settled(cluster(self.api), self.node, evicted, **given)


WEB = EvictedPod(namespace="lab", name="web-1", uid="u", owner_kind="ReplicaSet", owner_name="web-5d")


def test_a_deployment_behind_its_replicaset() -> None:
    bench = Bench()
    bench.ready(1)
    with pytest.raises(RemoteTimeout, match="Deployment lab/web: 1 of 2 ready"):
        bench.settled(WEB)
    bench.clock.at(bench.clock() - 1000 + 7, lambda: bench.ready(2))
    assert bench.settled(WEB) in [f"1 controllers whole, volumes let go after {seconds} s" for seconds in (7, 8)]


def test_no_more_than_before_and_earlier_evictions_count_too() -> None:
    bench = Bench()
    bench.ready(1)
    bench.api.add("pods", pod("web-1"))
    noted = controllers_on(cluster(bench.api), bench.node)["controllers"]
    assert noted == [{"namespace": "lab", "kind": "Deployment", "name": "web", "ready": 1}]
    assert bench.settled(WEB, controllers=noted)
    bench.ready(0)
    with pytest.raises(RemoteTimeout, match="0 of 1 ready"):
        bench.settled(controllers=noted)


def test_owners_that_cannot_be_judged() -> None:
    bench = Bench()
    odd = EvictedPod(namespace="lab", name="x", uid="x", owner_kind="Rollout", owner_name="r")
    finished = EvictedPod(namespace="lab", name="d", uid="d", owner_kind="DaemonSet", owner_name="agent")
    bare = EvictedPod(namespace="lab", name="b", uid="b")
    gone = EvictedPod(namespace="lab", name="s", uid="s", owner_kind="StatefulSet", owner_name="deleted")
    assert bench.settled(odd, finished, bare, gone).endswith("after 0 s; not judged: Rollout lab/r")


def test_a_pod_that_does_not_start_on_the_node() -> None:
    bench = Bench()
    stuck = pod("new", owner="Job/x", phase="Pending", ready=False)
    stuck["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ImagePullBackOff"}}
    bench.api.add("pods", stuck)
    with pytest.raises(RemoteTimeout, match=r"pod lab/new does not run on it \(ImagePullBackOff\)"):
        bench.settled()
    stuck["spec"]["nodeName"] = "w2"
    assert bench.settled()


def test_a_pod_that_did_not_start_before_either() -> None:
    bench = Bench()
    bench.ready(0)
    bench.api.add("pods", pod("web-9", phase="Pending", ready=False))
    assert bench.settled(controllers=[{"namespace": "lab", "kind": "Deployment", "name": "web", "ready": 0}])
    with pytest.raises(RemoteTimeout):
        bench.settled()


def unscheduled(name: str) -> Obj:
    found = pod(name, phase="Pending", ready=False)
    del found["spec"]["nodeName"]
    return found


def test_a_pod_that_waits_for_an_administrator_is_named_and_not_waited_for() -> None:
    bench = Bench()
    bench.api.add("pods", unscheduled("web-7"))
    bench.ready(1)

    def kept(pods: Sequence[Obj]) -> Sequence[Obj]:
        return [each for each in pods if each["metadata"]["name"] == "web-7"]

    with pytest.raises(RemoteTimeout, match="1 of 2 ready"):
        bench.settled(WEB)
    uncordons = "Pending until an administrator uncordons the node that would take them: lab/web-7"
    assert bench.settled(WEB, kept=kept).endswith(f"after 0 s; {uncordons}")
    before = WorkloadSnapshot(counts=(count(2, wanted=2),))
    given: dict[str, Any] = {"seconds": 10, "sleep": bench.clock.sleep, "clock": bench.clock}
    assert wait_whole(cluster(bench.api), before, kept=kept, **given) == f"1 controllers as before; {uncordons}"
    bench.ready(0)
    bench.api.add("pods", unscheduled("web-8"))
    with pytest.raises(RemoteTimeout, match="0 of 2 ready"):
        bench.settled(WEB, kept=kept)
    with pytest.raises(RemoteTimeout, match="0 of 2 ready"):
        wait_whole(cluster(bench.api), before, kept=kept, **given)


def test_volumes_are_let_go() -> None:
    bench = Bench()
    api = bench.api
    for name in ("lost", "kept"):
        claim = {"metadata": {"name": name, "namespace": "lab"}, "spec": {"volumeName": f"pv-{name}"}}
        api.add("persistentvolumeclaims", claim)
        for node in ("w1", "w2"):
            source = {"persistentVolumeName": f"pv-{name}"}
            metadata = {"name": f"{name}-{node}"}
            api.add("volumeattachments", {"metadata": metadata, "spec": {"nodeName": node, "source": source}})
    api.add("pods", pod("back", owner="StatefulSet/s", claim="kept"))
    api.add("statefulsets", controller("StatefulSet", "s", 1, 1))
    lost = EvictedPod(
        namespace="lab", name="a", uid="a", owner_kind="StatefulSet", owner_name="s", claims=("lost", "kept")
    )
    with pytest.raises(RemoteTimeout) as late:
        bench.settled(lost)
    assert "volume pv-lost of claim lab/lost is still attached" in late.value.what
    assert "pv-kept" not in late.value.what
    bench.clock.at(bench.clock() - 1000 + 3, lambda: api.remove("volumeattachments", "", "lost-w1"))
    assert bench.settled(lost)


def count(ready: int, wanted: int = 3, name: str = "web") -> Count:
    return Count(namespace="lab", kind="Deployment", name=name, wanted=wanted, ready=ready)


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (count(3), count(3), []),
        (count(3), count(2), ["Deployment lab/web: 2 of 3 ready, 3 before"]),
        (count(2), count(2), []),
        (count(2), count(1), ["Deployment lab/web: 1 of 3 ready, 2 before"]),
        (count(3), count(1, wanted=1), []),
        (count(3), count(0, name="other"), []),
    ],
)
def test_unready(before: Count, after: Count, lines: list[str]) -> None:
    assert unready([before], [after]) == lines


def test_snapshot_and_wait_whole() -> None:
    bench = Bench()
    daemon = {"metadata": {"name": "a", "namespace": "lab"}, "status": {"desiredNumberScheduled": 3, "numberReady": 2}}
    bench.api.add("daemonsets", daemon)
    before = take_snapshot(cluster(bench.api))
    assert [(str(c), c.wanted, c.ready) for c in before.counts] == [
        ("Deployment lab/web", 2, 2),
        ("DaemonSet lab/a", 3, 2),
    ]
    assert WorkloadSnapshot.model_validate_json(before.model_dump_json()) == before
    bench.ready(1)
    given: dict[str, Any] = {"sleep": bench.clock.sleep, "clock": bench.clock}
    with pytest.raises(RemoteTimeout, match="Deployment lab/web: 1 of 2 ready, 2 before"):
        wait_whole(cluster(bench.api), before, seconds=10, **given)
    bench.ready(2)
    assert wait_whole(cluster(bench.api), before, seconds=10, **given) == "2 controllers as before"


@pytest.mark.parametrize("every", [2, 3, 7])
def test_wait_whole_with_an_api_that_fails_now_and_then(every: int) -> None:
    """A look has several reads: if one that fails made the whole look void, it would never end."""
    bench, seen = Bench(), itertools.count()
    before = take_snapshot(cluster(bench.api))
    bench.api.answers.append(lambda _request: Answer(500, "x") if next(seen) % every == every - 1 else None)
    assert wait_whole(cluster(bench.api), before, seconds=60, sleep=bench.clock.sleep, clock=bench.clock)
