"""What an administrator lets hold a node back: a pod that must not be disturbed, Prometheus' alerts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.errors import GateClosed
from tests.support.prefect_server import PrefectServer, eventually
from tests.support.prometheus import Prometheus, answering
from tests.support.rehearsed import Rehearsed, Running, held_by, rehearsed

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(1200)]


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    with answering() as found:
        yield found


@pytest.fixture
def cluster(server: PrefectServer, tmp_path: Path) -> Iterator[Rehearsed]:
    with rehearsed(server, tmp_path, nodes=3, control_planes=1, replicas=2, speed=10) as found:
        yield found


def settings(cluster: Rehearsed, url: str, seconds: float) -> str:
    gate = {
        "checks": 1,
        "timeout": seconds,
        "blocking_pod_selector": ["batch=running"],
        "prometheus": {"url": url, "alert_filter_regexp": "^Watchdog$"},
    }
    return str(cluster.settings("blocked", {"gate": gate}))


def test_an_alert_and_a_pod_hold_a_node_back(cluster: Rehearsed, prometheus: Prometheus) -> None:
    prometheus.alerts = [("Watchdog", "firing"), ("DiskFull", "pending")]
    run = cluster.start("migrate", "-f", settings(cluster, prometheus.url, 300), "--yes")
    held_by(cluster)
    batch(cluster, "w2")
    says(run, "waits: alert DiskFull is pending")
    assert cluster.cordoned() == []

    prometheus.alerts = [("Watchdog", "firing"), ("DiskFull", "inactive")]
    says(run, "waits: pod shop/batch on w2")
    assert runtimes(cluster) == {"w1": "containerd", "w2": "docker", "cp1": "docker"}
    assert cluster.cordoned() == []

    cluster.admin.delete("Pod", "batch", namespace="shop")
    assert run.waited() == 0, run.said
    assert set(runtimes(cluster).values()) == {"containerd"}


def test_a_prometheus_that_cannot_be_asked(cluster: Rehearsed, prometheus: Prometheus) -> None:
    """What cannot be asked is not well; once it answers, the same command goes on."""
    refused = cluster.run("migrate", "-f", settings(cluster, "http://127.0.0.1:9", 8), "--yes")
    assert refused.returncode == GateClosed.exit_code, refused.stderr
    assert "Prometheus cannot be asked (ConnectError" in refused.stderr
    assert "state: not started: w1" in refused.stderr
    assert cluster.cordoned() == []
    assert set(runtimes(cluster).values()) == {"docker"}

    again = cluster.run("migrate", "-f", settings(cluster, prometheus.url, 60), "--yes")
    assert again.returncode == 0, again.stderr


def batch(cluster: Rehearsed, node: str) -> None:
    """A pod of nobody's, put on a node."""
    pod: dict[str, Any] = {
        "metadata": {"name": "batch", "namespace": "shop", "labels": {"batch": "running"}},
        "spec": {"nodeName": node, "containers": [{"name": "batch", "image": "registry.example/shop:1"}]},
    }
    cluster.admin.create("Pod", pod, namespace="shop")


def says(run: Running, line: str) -> None:
    def look() -> bool:
        assert run.process.poll() is None, run.said
        return line in run.said

    eventually(look, 300, line)


def runtimes(cluster: Rehearsed) -> dict[str, str]:
    nodes = cluster.admin.list("Node")
    return {
        node["metadata"]["name"]: node["status"]["nodeInfo"]["containerRuntimeVersion"].split(":")[0] for node in nodes
    }
