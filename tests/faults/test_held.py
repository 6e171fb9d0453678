"""`hold_daemonsets` on real kubelets: its pod is off a node while that is switched, and elsewhere nothing restarts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.look import checkpoints, cluster
from tests.e2e.site import Site
from tests.e2e.wait import until_none
from tests.faults.cell import cell
from tests.faults.held import NAME, NAMESPACE, Samples, allow, as_written, watched
from tests.faults.look import whole
from tests.faults.run import Runs

pytestmark = pytest.mark.slow
_HELD = {"hold_daemonsets": [f"{NAMESPACE}/{NAME}"]}


def test_a_node_that_goes_back_has_its_pod_again(site: Site, runs: Runs, output: Path) -> None:
    allow(site)
    before, begun = as_written(site), time.time()
    with cell(site, output, "w1", "start_kubelet", "after, a DaemonSet held") as here:
        with watched(site) as samples:
            ended = runs.migrate(["w1"], ("w1", "start_kubelet", "after"), **_HELD)
            here.ran(ended)
        assert (ended.exit_code, ended.outcomes) == (7, {"w1": "rolled-back"}), ended.log[-3000:]
        here.is_back_on_docker()
        assert as_written(site) == before
        _off(site, samples, "w1", begun, "rollback", "started")
        _elsewhere_untouched(site, samples, ["w1"])


def test_killed_the_next_run_holds_on_and_puts_it_back(site: Site, runs: Runs) -> None:
    """Every node: the killed run held it off the first one, the next goes on there and with all others."""
    allow(site)
    before, begun = as_written(site), time.time()
    until_none("the workload to be whole", lambda: whole(site), 300, every=1)
    try:
        with watched(site) as samples:
            killed = runs.migrate(["*"], ("w1", "stop_docker", "kill"), **_HELD)
            assert killed.exit_code == -9, killed.log[-3000:]
            assert as_written(site)["spec"]["updateStrategy"] == {"type": "OnDelete"}
            ended = runs.migrate(["*"], **_HELD)
        assert (ended.exit_code, set(ended.outcomes.values())) == (0, {"migrated"}), ended.log[-3000:]
        assert as_written(site) == before
        assert not any("hold" in key for keys in cluster.marks(site).values() for key in keys)
        for node in site.nodes:
            _off(site, samples, node, begun, "verify_node", "done")
            assert len(samples.ever_on(node)) == 2, f"{node}: one before, one after: {samples.ever_on(node)}"
        until_none("the workload to be whole", lambda: whole(site), 300, every=1)
    finally:
        for node in site.nodes:
            assert runs.rollback(node).exit_code == 0


def _off(site: Site, samples: Samples, node: str, begun: float, step: str, event: str) -> None:
    """None of its pods was there from the kubelet's stop until the step; the object said OnDelete all the while."""
    entries = [entry for entry in checkpoints.journal(site, node) if entry["time"] > begun]
    stopped = next(e["time"] for e in entries if (e["step"], e["event"]) == ("stop_kubelet", "started"))
    until = next(e["time"] for e in entries if (e["step"], e["event"]) == (step, event))
    seen = samples.within(stopped, until)
    assert len(seen) >= 3, f"{node}: the API was asked {len(seen)} times in {until - stopped:.0f} s"
    assert samples.on(node, stopped, until) == []
    assert {each.strategy for each in seen} == {"OnDelete"}
    assert any(each.pods.get(node) for each in samples.taken if each.time < stopped), "it was there before"


def _elsewhere_untouched(site: Site, samples: Samples, nodes: list[str]) -> None:
    for node in site.nodes:
        count = len(samples.ever_on(node))
        assert count == (2 if node in nodes else 1), f"{node}: {samples.ever_on(node)}"
