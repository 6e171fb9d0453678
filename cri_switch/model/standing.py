"""Where a migration stands, by the cluster and the nodes alone."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Phase = Literal["untouched", "waiting", "migrating", "half-done", "rolled-back", "switched", "migrated", "other"]


class NodeStanding(BaseModel):
    """One node; `attempt`, `step`, `event` and `at` (seconds since the epoch) are the journal's last entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role: str
    ready: bool
    kubelet_version: str
    runtime: str
    cri_socket: str = ""
    phase: Phase
    attempt: int | None = None
    step: str = ""
    event: str = ""
    at: float | None = None
    cordon: str = ""
    """Whose: `cri-switch`, `an administrator`, `migration ID`; "" where the node is schedulable."""
    next: str = ""
    problem: str = ""
    """Why the node's journal could not be read."""


class Standing(BaseModel):
    """The whole: who holds the Lease, and every node."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    migration: str
    migration_id: str
    cluster_uid: str
    target: str
    holder: str = ""
    since: str = ""
    renewed: str = ""
    running: bool = False
    """Whether the Lease is held and not expired; by two machines' clocks, so it only seems so."""
    nodes: tuple[NodeStanding, ...]

    @property
    def summary(self) -> str:
        """`3 migrated, 1 migrating, 2 untouched.`"""
        phases = [node.phase for node in self.nodes]
        return ", ".join(f"{phases.count(phase)} {phase}" for phase in dict.fromkeys(phases)) + "."
