"""How long a run may take, and what that is based on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from cri_switch.model.migration import Spec
from cri_switch.model.node_ref import NodeRef

WORKER, CONTROL_PLANE, STAGE, LOOK = 35.0, 60.0, 20.0, 2.0
"""Seconds of a node's steps without its drain, of staging one, between two looks of the gate: as seen on the lab."""


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
        seconds=staging + turns,
        grounds=(
            f"{len(batches)} batches; a worker takes {WORKER:.0f} s and a control-plane node {CONTROL_PLANE:.0f} s, as"
            " seen on kubeadm 1.20.2 with two cores, the nodes of a batch side by side",
            f"a drain takes as long as the longest grace period of its pods: up to {longest:.0f} s here",
            f"staging takes {staging:.0f} s, {spec.stage_parallelism} nodes at a time; the gate looks {looks:.0f} s"
            " after each batch",
            "not in it: waiting for a window, an approval, PodDisruptionBudgets, image pulls and slow workloads",
        ),
    )


def _own(node: NodeRef) -> float:
    return CONTROL_PLANE if node.role == "control-plane" else WORKER
