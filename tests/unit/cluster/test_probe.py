"""The probe pod: made, run, refused, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from cri_switch.cluster.pods import epoch
from cri_switch.cluster.probe import Probe, clear_probes, probe_pod
from cri_switch.cluster.probe_manifest import NAMESPACE, probe_manifest
from cri_switch.cluster.transport import Answer, Request
from cri_switch.model.errors import ApiError, NotProven, RemoteTimeout
from tests.unit.cluster.fake_api import Clock, FakeApi, add_node, cluster, pod, status

NOW = epoch("2026-11-23T18:00:00Z")


class Bench:
    def __init__(self, after: float = 2, ip: str = "10.244.1.7", **more: str) -> None:
        self.api, self.clock = FakeApi(), Clock()
        self.node = add_node(self.api)
        self.clock.at(after, lambda: self.turn(ip, **more))

    def turn(self, ip: str, phase: str = "Running", reason: str = "") -> None:
        for found in self.probes():
            found["status"] = {"phase": phase, "podIP": ip, "reason": reason}

    def probes(self) -> list[dict[str, Any]]:
        return [
            o for (plural, namespace, _), o in self.api.objects.items() if (plural, namespace) == ("pods", NAMESPACE)
        ]

    def probe(self) -> AbstractContextManager[Probe]:
        return probe_pod(
            cluster(self.api),
            self.node,
            "k8s.gcr.io/pause:3.2",
            seconds=20,
            sleep=self.clock.sleep,
            clock=self.clock,
            now=lambda: NOW,
        )


def test_it_runs_and_is_deleted() -> None:
    bench = Bench()
    with bench.probe() as probe:
        assert (probe.ip, probe.refused) == ("10.244.1.7", "")
        made = bench.probes()[0]
        assert made["metadata"]["name"] == probe.name
    assert bench.probes() == []
    spec = made["spec"]
    assert (spec["nodeName"], spec["tolerations"]) == ("w1", [{"operator": "Exists"}])
    assert spec["containers"][0]["image"] == "k8s.gcr.io/pause:3.2"
    assert spec["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert "hostNetwork" not in spec


def test_deleted_when_the_caller_fails() -> None:
    bench = Bench()
    with pytest.raises(NotProven, match="no ping"), bench.probe():
        raise NotProven("no ping")
    assert bench.probes() == []


@pytest.mark.parametrize(
    ("bench", "error", "text"),
    [
        (Bench(after=99), RemoteTimeout, "not within 20 s"),
        (Bench(phase="Failed", reason="OutOfcpu"), NotProven, "Failed: OutOfcpu"),
        (Bench(ip="172.17.0.2"), NotProven, "172.17.0.2 is not of the node's pod range 10.244.1.0/24"),
    ],
)
def test_not_proven(bench: Bench, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as problem, bench.probe():
        pytest.fail("the body must not run")
    assert text in str(problem.value)
    assert bench.probes() == []


def test_a_network_with_ranges_of_its_own() -> None:
    bench = Bench(ip="192.168.5.3")
    add_node(bench.api, "w2")
    other = pod("web-1", node="w2")
    other["status"]["podIP"] = "192.168.7.1"
    bench.api.add("pods", other)
    with bench.probe() as probe:
        assert probe.ip == "192.168.5.3"


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (status(403, "Forbidden", 'pods "p" is forbidden: PodSecurityPolicy: unable to admit pod'), True),
        (status(400, "BadRequest", 'admission webhook "x" denied the request: no'), True),
        (status(422, "Invalid", "spec.containers: Invalid value"), True),
        (Answer(500, 'failed calling webhook "x"'), True),
        (status(403, "Forbidden", 'pods is forbidden: User "x" cannot create resource "pods"'), False),
        (status(404, "NotFound", 'namespaces "cri-switch" not found'), False),
        (Answer(500, "etcd"), False),
    ],
)
def test_refused(answer: Answer, refused: bool) -> None:
    bench = Bench()
    bench.api.answers.append(lambda r: answer if r.method == "POST" else None)
    if refused:
        with bench.probe() as probe:
            assert probe.refused
            assert probe.ip == ""
    else:
        with pytest.raises(ApiError), bench.probe():
            pytest.fail("the body must not run")
    assert not [w for w in bench.api.writes() if w.startswith("DELETE")]


def test_leftovers_go_first() -> None:
    bench = Bench()
    for name, node, made in (
        ("here", "w1", "2026-11-23T17:59:00Z"),
        ("there", "w2", "2026-11-23T17:59:00Z"),
        ("old", "w2", "2026-11-23T12:00:00Z"),
    ):
        left = probe_manifest(name, node, "i")
        left["metadata"]["creationTimestamp"] = made
        bench.api.add("pods", left)
    with bench.probe() as probe:
        assert {p["metadata"]["name"] for p in bench.probes()} == {"there", probe.name}


def test_a_drain_is_not_held_up_by_what_a_killed_run_left() -> None:
    bench = Bench()
    for name, node in (("here", "w1"), ("there", "w2")):
        left = probe_manifest(name, node, "i")
        left["metadata"]["creationTimestamp"] = "2026-11-23T17:59:00Z"
        bench.api.add("pods", left)
    clear_probes(cluster(bench.api), bench.node, sleep=bench.clock.sleep, clock=bench.clock, now=lambda: NOW)
    assert [left["metadata"]["name"] for left in bench.probes()] == ["there"]


def test_the_deletion_fails_too() -> None:
    bench = Bench()

    def away(request: Request) -> Answer | None:
        return Answer(500, "etcd") if request.method == "DELETE" else None

    bench.api.answers.append(away)
    with pytest.raises(NotProven) as problem, bench.probe():
        raise NotProven("no ping")
    assert any("could not be deleted" in note for note in problem.value.__notes__)


@pytest.fixture(autouse=True)
def _names_are_short() -> Iterator[None]:
    assert len(f"probe-{'x' * 40}-abcdef") <= 63
    yield
