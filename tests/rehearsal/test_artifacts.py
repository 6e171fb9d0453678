"""What a run leaves to look at in Prefect's UI: findings, plan, diff and report, and no secret in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from tests.rehearsal.engineless import Engineless
from tests.rehearsal.test_secrets import CONFIG, MARK


@pytest.fixture
def runs(tmp_path: Path) -> Engineless:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=3, control_planes=1), clock)
    clock.passed = world.tick
    for machine in world.machines.values():
        machine.fs.put("/etc/containerd/config.toml", CONFIG, 0o600)
    return Engineless(world, tmp_path)


def pages(runs: Engineless) -> dict[str, Any]:
    """Kind of artifact -> its newest content."""
    return {page.key.removesuffix("-rehearsal"): page.data for page in runs.artifacts}


def test_a_plan_with_its_diff(runs: Engineless) -> None:
    runs.plan(runs.migration(), diff=True)
    found = pages(runs)
    assert found.keys() == {"preflight", "plan", "diff"}
    looks(found)
    assert "## /etc/containerd/config.toml on " in found["diff"]
    assert "+KUBELET_KUBEADM_ARGS=" in found["diff"]
    assert "containerd.sock" in found["diff"]
    assert "password = " in found["diff"], "the line is there, its value is not"


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_migration(runs: Engineless, dry_run: bool) -> None:
    runs.run(runs.migration(dry_run=dry_run))
    found = pages(runs)
    assert found.keys() == {"preflight", "plan", "report"}
    looks(found)
    assert ("untouched" if dry_run else "migrated") in found["report"]


def looks(found: dict[str, Any]) -> None:
    """The findings and the plan say what they are for; a secret is in none of all."""
    assert "- `WARNING SingleControlPlane` " in found["preflight"]
    assert "  - fix: " in found["preflight"]
    rows = found["plan"]
    assert sorted((row["NAME"], row["ROLES"], row["ACTION"]) for row in rows) == [
        ("cp1", "control-plane", "migrate"),
        ("w1", "worker", "migrate"),
        ("w2", "worker", "migrate"),
    ]
    assert all(row["RUNTIME"].startswith("docker://") for row in rows)
    assert not [kind for kind, text in found.items() if MARK in str(text)]
