"""The orchestrator never runs on a node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cri_switch.checks.orchestrator import Here, check_orchestrator

HERE = Here(machine_id="m0", boot_id="b0", hostname="ops", addresses=frozenset({"10.0.0.9"}))


def node(name: str, machine: str, boot: str, address: str = "10.0.0.1") -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "status": {
            "nodeInfo": {"machineID": machine, "bootID": boot},
            "addresses": [{"type": "InternalIP", "address": address}],
        },
    }


@pytest.mark.parametrize(
    ("here", "boots", "expected"),
    [
        (HERE, ("b1", "b2"), ""),
        (replace(HERE, machine_id="m1"), ("b1", "b2"), "the same machine id, m1"),
        (replace(HERE, machine_id=""), ("b1", "b2"), ""),
        (HERE, ("b0", "b2"), "the same boot id, b0"),  # in a container on the node
        (HERE, ("b0", "b0"), ""),  # nodes and we are containers on one kernel
        (replace(HERE, hostname="w1"), ("b0", "b0"), "boot id and host name"),
        (replace(HERE, addresses=frozenset({"10.0.0.1"})), ("b0", "b0"), "boot id and address, 10.0.0.1"),
        (replace(HERE, hostname="w1", addresses=frozenset({"10.0.0.1"})), ("b1", "b2"), ""),
        (Here(), ("", ""), ""),
    ],
)
def test_on_a_node(here: Here, boots: tuple[str, str], expected: str) -> None:
    found = check_orchestrator(here, [node("w1", "m1", boots[0]), node("w2", "m2", boots[1], "10.0.0.2")])
    assert [(finding.name, finding.node) for finding in found] == ([("OrchestratorOnNode", "w1")] if expected else [])
    assert all(expected in finding.summary for finding in found)


def test_in_a_pod_of_the_cluster() -> None:
    inside = replace(HERE, pod="ops/worker-1", pod_found=True)
    assert [f.name for f in check_orchestrator(inside, [])] == ["OrchestratorInCluster"]
    assert check_orchestrator(replace(inside, pod_found=False), []) == []
