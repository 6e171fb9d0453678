"""The drain: evictions, budgets, retries, the deadline, and what is said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cri_switch.cluster.drain import DrainResult, drain
from cri_switch.cluster.pods import epoch
from cri_switch.cluster.transport import Answer, NotSent, Request
from cri_switch.model.errors import DrainBlocked, Stopped
from cri_switch.model.migration import Drain
from cri_switch.model.node_ref import NodeRef
from tests.unit.cluster.fake_api import Clock, FakeApi, Obj, add_node, cluster, pod, status

NOON = epoch("2026-11-23T18:00:00Z")
BUDGET = "Cannot evict pod as it would violate the pod's disruption budget."


class Bench:
    """A cordoned node w1 with pods, a clock, and what was said."""

    def __init__(self, *pods: Obj, cordoned: bool = True) -> None:
        self.api, self.clock, self.said = FakeApi(), Clock(), list[str]()
        self.node: NodeRef = add_node(self.api, unschedulable=cordoned)
        self.api.add("daemonsets", {"metadata": {"name": "agent", "namespace": "lab"}, "spec": {}})
        for each in pods:
            self.api.add("pods", each)

    def drain(self, **flags: Any) -> DrainResult:
        stop = flags.pop("stop", lambda: False)
        return drain(
            cluster(self.api),
            self.node,
            Drain(**flags),
            say=self.said.append,
            stop=stop,
            clock=self.clock,
            sleep=self.clock.sleep,
            now=lambda: NOON + self.clock.now - 1000,
        )

    def names(self) -> list[str]:
        return sorted(name for plural, _, name in self.api.objects if plural == "pods")

    def on_evict(self, name: str, answer: Any) -> None:
        """`answer()` is asked at each eviction of a pod; None evicts it."""

        def hook(request: Request) -> Answer | None:
            found: Answer | None = answer() if request.path.endswith(f"/pods/{name}/eviction") else None
            return found

        self.api.answers.append(hook)


def test_what_goes_and_what_stays() -> None:
    bench = Bench(
        pod("web-1", claim="data"),
        pod("agent-1", owner="DaemonSet/agent", empty_dir=True),
        pod("etcd-w1", owner="Node/w1", mirror=True),
        pod("once-1", owner="Job/once", phase="Succeeded"),
        pod("elsewhere", node="w2"),
    )
    result = bench.drain()
    assert bench.names() == ["agent-1", "elsewhere", "etcd-w1"]
    assert [(str(p), p.uid, p.owner_kind, p.owner_name, p.claims) for p in result.evicted] == [
        ("lab/once-1", "uid-once-1", "Job", "once", ()),
        ("lab/web-1", "uid-web-1", "ReplicaSet", "web-5d", ("data",)),
    ]
    assert [str(p) for p in result.ignored] == ["lab/agent-1", "lab/etcd-w1"]
    assert result.first_eviction == NOON
    assert bench.said == [
        "WARNING: ignoring DaemonSet-managed Pods: lab/agent-1",
        "evicting pod lab/once-1",
        "pod/once-1 evicted",
        "evicting pod lab/web-1",
        "pod/web-1 evicted",
        "node/w1 drained",
    ]
    assert bench.clock.slept == [], "nothing to wait for"
    assert DrainResult.model_validate_json(result.model_dump_json()) == result


def test_nothing_to_do() -> None:
    bench = Bench()
    assert bench.drain() == DrainResult()
    assert bench.said == ["node/w1 drained"]


def test_not_cordoned() -> None:
    bench = Bench(pod("web-1"), cordoned=False)
    with pytest.raises(DrainBlocked, match="not cordoned") as refused:
        bench.drain()
    assert refused.value.exit_code == 5
    assert bench.api.writes() == []


def test_a_filter_refuses_before_anything_is_evicted() -> None:
    bench = Bench(pod("web-1"), pod("bare", owner=""), pod("scratch", empty_dir=True))
    with pytest.raises(DrainBlocked) as refused:
        bench.drain()
    assert "lab/bare" in refused.value.what
    assert "lab/scratch" in refused.value.what
    assert bench.names() == ["bare", "scratch", "web-1"]
    assert bench.api.writes() == []
    bench.drain(force=True, delete_emptydir_data=True)
    assert bench.names() == []


def test_daemon_set_gone() -> None:
    bench = Bench(pod("agent-1", owner="DaemonSet/agent"))
    bench.api.remove("daemonsets", "lab", "agent")
    with pytest.raises(DrainBlocked, match=r'daemonsets\.apps "agent" not found: lab/agent-1'):
        bench.drain()
    bench.drain(force=True)
    assert bench.names() == []


def test_429_then_success() -> None:
    bench = Bench(pod("web-1"), pod("web-2"))
    answers = [status(429, "TooManyRequests", BUDGET)] * 2
    bench.on_evict("web-1", lambda: answers.pop() if answers else None)
    bench.drain()
    assert bench.names() == []
    assert 10 <= bench.clock() - 1000 < 13, "two retries, 5 s each"
    assert bench.said.index("pod/web-2 evicted") < bench.said.index("pod/web-1 evicted"), "side by side"
    assert bench.said.count("evicting pod lab/web-1") == 3
    retry = [line for line in bench.said if "will retry" in line]
    assert len(retry) == 2
    assert retry[0].startswith('error when evicting pods/"web-1" -n "lab" (will retry after 5s): ')
    assert BUDGET in retry[0]


def test_budget_at_zero_until_the_deadline() -> None:
    bench = Bench(pod("web-1", labels={"app": "web"}), pod("other"))
    for name, allowed, selector in (
        ("web", 0, {"matchLabels": {"app": "web"}}),
        ("roomy", 1, {"matchLabels": {"app": "web"}}),
        ("other", 0, {"matchLabels": {"app": "other"}}),
    ):
        budget_status = {"disruptionsAllowed": allowed, "currentHealthy": 3, "desiredHealthy": 3}
        metadata = {"name": name, "namespace": "lab"}
        bench.api.add(
            "poddisruptionbudgets", {"metadata": metadata, "spec": {"selector": selector}, "status": budget_status}
        )
    bench.on_evict("web-1", lambda: status(429, "TooManyRequests", BUDGET))
    with pytest.raises(DrainBlocked) as blocked:
        bench.drain(timeout=60)
    assert 60 <= bench.clock() - 1000 < 61
    text = str(blocked.value)
    assert 'error when evicting pods/"web-1" -n "lab": global timeout reached: 60s' in text
    assert BUDGET in text
    assert "PodDisruptionBudget lab/web allows 0 disruptions (3 healthy, 3 must be)" in text
    assert "lab/roomy" not in text
    assert "lab/other" not in text
    assert "1 pods are gone" in blocked.value.state
    assert bench.names() == ["web-1"]


def terminating(bench: Bench, name: str) -> Any:
    """The eviction is accepted, the pod stays, terminating."""

    def answer() -> Answer:
        bench.api.objects["pods", "lab", name]["metadata"]["deletionTimestamp"] = "2026-11-23T18:00:00Z"
        return Answer(201, json.dumps({"kind": "Status", "status": "Success"}))

    bench.on_evict(name, answer)
    return answer


def test_a_pod_stuck_terminating() -> None:
    bench = Bench(pod("web-1"))
    bench.api.objects["pods", "lab", "web-1"]["metadata"]["finalizers"] = ["example.com/hold"]
    terminating(bench, "web-1")
    with pytest.raises(DrainBlocked) as blocked:
        bench.drain(timeout=30)
    assert 30 <= bench.clock() - 1000 < 31
    assert (
        'error when waiting for pod "web-1" in namespace "lab" to terminate: global timeout reached: 30s'
        in blocked.value.what
    )
    assert "example.com/hold" in blocked.value.what
    assert len(bench.api.writes()) == 1, "an accepted eviction is not asked for again"


def test_skip_wait_for_delete_timeout() -> None:
    bench = Bench(pod("web-1"))
    terminating(bench, "web-1")
    result = bench.drain(skip_wait_for_delete_timeout=4)
    assert 5 <= bench.clock() - 1000 < 7
    assert 'pod "web-1" has DeletionTimestamp older than 4 seconds, skipping' in bench.said
    assert [str(p) for p in result.evicted] == ["lab/web-1"]


def test_a_pod_that_takes_its_time() -> None:
    bench = Bench(pod("web-1"))
    terminating(bench, "web-1")
    bench.clock.at(12.5, lambda: bench.api.remove("pods", "lab", "web-1"))
    bench.drain(timeout=30)
    assert 12.5 <= bench.clock() - 1000 < 15
    assert bench.said[-2:] == ["pod/web-1 evicted", "node/w1 drained"]


def test_same_name_with_a_new_uid() -> None:
    bench = Bench(pod("ledger-0", owner="StatefulSet/ledger"))
    terminating(bench, "ledger-0")

    def anew() -> None:
        fresh = pod("ledger-0", owner="StatefulSet/ledger")
        fresh["metadata"]["uid"] = "uid-new"
        bench.api.add("pods", fresh)

    bench.clock.at(3, anew)
    result = bench.drain(timeout=30)
    assert bench.clock() - 1000 < 6
    assert [p.uid for p in result.evicted] == ["uid-ledger-0"]
    assert len(bench.api.writes()) == 1, "the new one is not evicted in its place"


def test_new_uid_while_its_budget_says_no() -> None:
    bench = Bench(pod("ledger-0", owner="StatefulSet/ledger"))
    bench.on_evict("ledger-0", lambda: status(429, "TooManyRequests", BUDGET))

    def anew() -> None:
        fresh = pod("ledger-0", owner="StatefulSet/ledger", node="w2")
        fresh["metadata"]["uid"] = "uid-new"
        bench.api.add("pods", fresh)

    bench.clock.at(2, anew)
    bench.drain(timeout=30)
    assert len(bench.api.writes()) == 1, "a pod of the same name on another node is let alone"


def test_gone_before_it_was_asked() -> None:
    bench = Bench(pod("web-1"))

    def gone() -> Answer:
        bench.api.remove("pods", "lab", "web-1")
        return status(404, "NotFound", 'pods "web-1" not found', {"name": "web-1"})

    bench.on_evict("web-1", gone)
    bench.drain()
    assert bench.said[-1] == "node/w1 drained"


@pytest.mark.parametrize("already", [True, False])
def test_terminating_namespace(already: bool) -> None:
    bench = Bench(pod("web-1"))
    details = {"causes": [{"reason": "NamespaceTerminating", "message": "lab is going"}]}
    if already:
        bench.api.objects["pods", "lab", "web-1"]["metadata"]["deletionTimestamp"] = "2026-11-23T18:00:00Z"
    bench.on_evict("web-1", lambda: status(403, "Forbidden", "lab is being terminated", details))
    bench.clock.at(7, lambda: bench.api.remove("pods", "lab", "web-1"))
    bench.drain(timeout=30)
    assert len(bench.api.writes()) == (1 if already else 2)
    assert any("from terminating namespace" in line for line in bench.said) is not already


def test_another_refusal_ends_the_drain_after_the_others() -> None:
    bench = Bench(pod("web-1"), pod("web-2"))
    bench.on_evict("web-1", lambda: status(500, "InternalError", "This pod has more than one PodDisruptionBudget"))
    with pytest.raises(DrainBlocked, match="more than one PodDisruptionBudget"):
        bench.drain()
    assert bench.names() == ["web-1"]


@pytest.mark.parametrize(
    "first",
    [
        status(503, "ServiceUnavailable", "the apiserver is shutting down"),
        status(504, "Timeout", "request did not complete within the allotted timeout"),
        Answer(502, "<html>Bad Gateway"),
        status(500, "InternalError", "etcdserver: leader changed"),
    ],
)
def test_a_server_that_is_not_well_for_a_moment_is_no_refusal(first: Answer) -> None:
    bench = Bench(pod("web-1"))
    answers = [first, first]
    bench.on_evict("web-1", lambda: answers.pop() if answers else None)
    bench.drain()
    assert bench.names() == []
    assert answers == []


def test_api_away_for_a_moment() -> None:
    bench = Bench(pod("web-1"))
    problems = [NotSent("refused"), NotSent("refused")]

    def away() -> None:
        if problems:
            raise problems.pop()

    bench.on_evict("web-1", away)
    bench.drain()
    assert bench.names() == []


@pytest.mark.parametrize(("flags", "options"), [({}, {}), ({"grace_period": 0}, {"gracePeriodSeconds": 0})])
def test_grace(flags: Any, options: Any) -> None:
    bench = Bench(pod("web-1"))
    bench.drain(**flags)
    assert [r.body["deleteOptions"] for r in bench.api.requests if r.method == "POST"] == [options]


def test_disable_eviction() -> None:
    bench = Bench(pod("web-1"))
    bench.drain(disable_eviction=True, grace_period=5)
    assert bench.api.writes() == ["DELETE /api/v1/namespaces/lab/pods/web-1"]
    body = bench.api.requests[-2].body
    assert body["preconditions"] == {"uid": "uid-web-1"}
    assert body["gracePeriodSeconds"] == 5
    assert bench.said[-2:] == ["pod/web-1 deleted", "node/w1 drained"]


def test_pod_selector() -> None:
    bench = Bench(pod("a", labels={"app": "a"}), pod("b", labels={"app": "b"}, owner=""))
    bench.drain(pod_selector="app=a")
    assert bench.names() == ["b"]


def test_stop() -> None:
    bench = Bench(pod("web-1"))
    terminating(bench, "web-1")
    asked = False

    def ask() -> None:
        nonlocal asked
        asked = True

    bench.clock.at(3, ask)
    with pytest.raises(Stopped):
        bench.drain(stop=lambda: asked)
    assert bench.clock() - 1000 < 5
