"""The standard workload: what the files say, and when it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import topology, workloads
from tests.lab.process import Process
from tests.lab.state import Lab, MachineState

_FILES = Path(workloads.__file__).parent / "workload"


def _documents() -> list[dict[str, Any]]:
    return [each for file in sorted(_FILES.rglob("*.yaml")) for each in yaml.safe_load_all(file.read_text())]


def _named(kind: str, name: str) -> dict[str, Any]:
    return next(each for each in _documents() if (each["kind"], each["metadata"]["name"]) == (kind, name))


def test_the_issue_is_followed() -> None:
    web = _named("Deployment", "web")["spec"]
    container = web["template"]["spec"]["containers"][0]
    assert web["replicas"] == 4
    assert container["readinessProbe"] and container["lifecycle"]["preStop"]
    assert _named("PodDisruptionBudget", "web")["spec"]["minAvailable"] == 3
    assert _named("StatefulSet", "ledger")["spec"]["replicas"] == 2
    assert _named("DaemonSet", "hostnet")["spec"]["template"]["spec"]["hostNetwork"] is True
    agent = _named("DaemonSet", "agent")["spec"]["template"]["spec"]
    assert agent["volumes"] == [{"name": "scratch", "emptyDir": {}}]
    assert agent["containers"][0]["ports"][0]["hostPort"] == 9080
    assert _named("CronJob", "minutely")["apiVersion"] == "batch/v1beta1"
    assert _named("Pod", "static-web") and _named("Job", "once")


def test_the_prober_knows_the_service() -> None:
    assert f"http://{_named('Service', 'web')['spec']['clusterIP']}/" == workloads.SERVICE_URL


def test_the_ledgers_volumes_are_put_on_two_nodes() -> None:
    text = workloads.placed((_FILES / "ledger.yaml").read_text(), ["w1", "cp3"])
    volumes = [each for each in yaml.safe_load_all(text) if each["kind"] == "PersistentVolume"]
    assert [each["metadata"]["name"] for each in volumes] == ["ledger-w1", "ledger-cp3"]
    terms = [each["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"] for each in volumes]
    assert [term[0]["matchExpressions"][0]["values"] for term in terms] == [["w1"], ["cp3"]]


def test_one_worker_shares_the_ledger_with_the_last_control_plane() -> None:
    def lab(control_planes: int, workers: int) -> Lab:
        machines = [MachineState(spec, Path("/nowhere"), []) for spec in topology.machines(control_planes, workers)]
        netns, owner = Path("/nowhere"), Process(1, 1, "boot")
        named = {each.spec.name: each for each in machines}
        return Lab("a", 11, "systemd", "up", owner, None, netns, "lab0", [], named)

    assert [each.spec.name for each in workloads.homes(lab(3, 1))] == ["w1", "cp3"]
    assert [each.spec.name for each in workloads.homes(lab(1, 3))] == ["w1", "w2"]


def _whole() -> list[dict[str, Any]]:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    status = [
        ("Deployment", "web", {"readyReplicas": 4}),
        ("StatefulSet", "ledger", {"readyReplicas": 2}),
        ("DaemonSet", "agent", {"numberReady": 3}),
        ("DaemonSet", "hostnet", {"numberReady": 3}),
        ("Job", "once", {"succeeded": 1}),
        ("Pod", "static-web-w1", ready),
    ]
    return [{"kind": kind, "metadata": {"name": name}, "status": each} for kind, name, each in status]


def test_whole() -> None:
    assert workloads.unready(_whole(), nodes=3, first_worker="w1") == []


@pytest.mark.parametrize("index", range(6))
def test_anything_missing_is_named(index: int) -> None:
    items = _whole()
    gone = items.pop(index)
    (line,) = workloads.unready(items, nodes=3, first_worker="w1")
    assert gone["metadata"]["name"] in line


def test_an_empty_list_is_never_whole() -> None:
    assert len(workloads.unready([], nodes=3, first_worker="w1")) == 6
