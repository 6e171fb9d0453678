"""What holds the next nodes back: pods, alerts, and a Prometheus that cannot be asked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from cri_switch.cluster.blockers import active_alerts, alerts, wait_unblocked
from cri_switch.cluster.gate import gate
from cri_switch.cluster.snapshot import take_snapshot
from cri_switch.model.errors import GateClosed, RemoteTimeout
from cri_switch.model.migration import Prometheus
from tests.unit.cluster.fake_api import Clock, FakeApi, add_node, cluster, pod

URL = "http://127.0.0.1:9"


def body(*found: tuple[str, str]) -> dict[str, Any]:
    listed = [{"labels": {"alertname": name}, "state": state} for name, state in found]
    return {"status": "success", "data": {"alerts": listed}}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["alert Down is firing", "alert Slow is pending", "alert Watchdog is firing"]),
        ({"firing_only": True}, ["alert Down is firing", "alert Watchdog is firing"]),
        ({"firing_only": True, "alert_filter_regexp": "^Watch"}, ["alert Down is firing"]),
    ],
)
def test_alerts(settings: dict[str, Any], expected: list[str]) -> None:
    answer = body(("Down", "firing"), ("Slow", "pending"), ("Watchdog", "firing"), ("Old", "inactive"))
    assert active_alerts(answer, Prometheus(url=URL, **settings)) == expected


@pytest.mark.parametrize("answer", [{"status": "error"}, {"status": "success"}, {}])
def test_an_answer_that_is_none_is_not_well(answer: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError)):
        active_alerts(answer, Prometheus(url=URL))


def test_what_cannot_be_asked_blocks() -> None:
    (line,) = alerts(Prometheus(url=URL))
    assert line.startswith("Prometheus cannot be asked (ConnectError")
    api, clock = FakeApi(), Clock()
    with pytest.raises(GateClosed, match="cannot be asked") as caught:
        wait_unblocked(
            cluster(api),
            ["w1"],
            selectors=[],
            prometheus=Prometheus(url=URL),
            seconds=9,
            sleep=clock.sleep,
            clock=clock,
        )
    assert caught.value.state == "not started: w1"


@pytest.mark.parametrize("url", ["http://user:secret@prom", "ftp://prom"])
def test_no_credentials_in_the_address(url: str) -> None:
    with pytest.raises(ValidationError):
        Prometheus(url=url)


def test_pods_on_the_next_nodes_block_until_they_are_gone() -> None:
    api, clock, said = FakeApi(), Clock(), list[str]()
    api.add("pods", pod("batch-1", labels={"critical": "yes"}))
    api.add("pods", pod("batch-2", labels={"critical": "yes"}, phase="Succeeded"))
    api.add("pods", pod("batch-3", labels={"critical": "yes"}, node="w2"))
    clock.at(12, lambda: api.remove("pods", "lab", "batch-1"))
    wait_unblocked(
        cluster(api),
        ["w1"],
        selectors=["critical=yes"],
        prometheus=None,
        seconds=60,
        say=said.append,
        sleep=clock.sleep,
        clock=clock,
    )
    assert said == ["waits: pod lab/batch-1 on w1"]
    assert 12 <= clock() - 1000 <= 16


def test_the_gate_wants_budgets_as_before() -> None:
    api, clock = FakeApi(), Clock()
    add_node(api)
    good = {"expectedPods": 3, "disruptionsAllowed": 1}
    budget = api.add(
        "poddisruptionbudgets", {"metadata": {"name": "web", "namespace": "lab"}, "spec": {}, "status": good}
    )
    api.add(
        "poddisruptionbudgets",
        {
            "metadata": {"name": "tight", "namespace": "lab"},
            "spec": {},
            "status": {"expectedPods": 1, "disruptionsAllowed": 0},
        },
    )
    before = take_snapshot(cluster(api))
    assert before.exhausted == ("lab/tight",)
    budget["status"] = {"expectedPods": 3, "disruptionsAllowed": 0}
    with pytest.raises(RemoteTimeout, match="lab/web allows none"):
        gate(cluster(api), seconds=6, before=before, sleep=clock.sleep, clock=clock)
    clock.at(clock() - 1000 + 5, lambda: budget["status"].update(disruptionsAllowed=1))
    start = clock()
    gate(cluster(api), seconds=60, before=before, checks=3, sleep=clock.sleep, clock=clock)
    assert clock() - start >= 5 + 2 * 2 - 2
