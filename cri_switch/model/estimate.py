"""How long a run may take, and what that is based on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from cri_switch.model.migration import Spec
from cri_switch.model.node_ref import NodeRef

WORKER, CONTROL_PLANE, STAGE, LOOK, AROUND = 22.0, 19.0, 13.0, 2.0, 15.0
"""Seconds of a node's steps without its drain, of staging one, between two looks of the gate, of preflight and backup.

Measured on the test cluster (one control plane, two workers, kubeadm 1.20.2, containerd 1.4.13; all machines on two
cores): the steps without the drain, removal of Docker's packages included, took 17.7 and 26.9 s on the workers and
19.1 s on the control plane; staging 4, 10 and 13 s side by side.
"""


class Estimate(BaseModel):
    """`seconds` for the whole run, and the grounds in words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float
    grounds: tuple[str, ...]


def estimate(batches: Sequence[Sequence[NodeRef]], grace: Mapping[str, float], spec: Spec) -> Estimate:
    """`grace` has per node the longest grace period, in seconds, of the pods that its drain evicts."""
    nodes = [node for batch in batches for node in batch]
    most = spec.drain.timeout or float("inf")
    drains = {
        name: min(most, spec.drain.grace_period if spec.drain.grace_period >= 0 else s) for name, s in grace.items()
    }
    staging = -(-len(nodes) // spec.stage_parallelism) * STAGE if spec.stage_images else 0.0
    looks = LOOK * spec.gate.checks
    turns = sum(max(_own(node) + drains.get(node.name, 0.0) for node in batch) + looks for batch in batches)
    longest = max(drains.values(), default=0.0)
    return Estimate(
        seconds=(AROUND if nodes else 0.0) + staging + turns,
        grounds=(
            f"{len(batches)} batches; besides its drain a worker takes {WORKER:.0f} s and a control-plane node"
            f" {CONTROL_PLANE:.0f} s: the mean of the three nodes of cri-switch's own test cluster (kubeadm 1.20.2,"
            " containerd 1.4.13), nothing measured here",
            f"a drain takes as long as the longest grace period of its pods: up to {longest:.0f} s here",
            f"preflight and backup take {AROUND:.0f} s, staging {staging:.0f} s, {spec.stage_parallelism} nodes at a"
            f" time; the gate looks {looks:.0f} s after each batch",
            "not in it: waiting for a window, an approval or PodDisruptionBudgets, slow disks, downloads and workloads",
        ),
    )


def _own(node: NodeRef) -> float:
    return CONTROL_PLANE if node.role == "control-plane" else WORKER
