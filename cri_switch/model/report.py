"""What a run did: one row a node, and what is left to say."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Outcome = Literal["migrated", "skipped", "failed", "rolled-back", "unhealthy", "half-done", "untouched"]
"""failed is of a dry run only; half-done says that the next run goes on with the node."""


class NodeReport(BaseModel):
    """One node; seconds are None where a step was not reached.

    Out of service is from the node's first eviction to its uncordon; cordoned and waiting is counted apart.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    role: str
    runtime_before: str
    runtime_after: str = ""
    outcome: Outcome = "untouched"
    reason: str = ""
    kubelet_version: str = ""
    out_of_service_seconds: float | None = None
    cordoned_seconds: float | None = None
    steps: dict[str, float] = Field(default_factory=dict)


class Approval(BaseModel):
    """A person's yes: at which point of the run, who, and when (UTC)."""

    model_config = ConfigDict(extra="forbid")

    point: str
    by: str
    at: str


class Report(BaseModel):
    """The whole run; `moved` names nodes that joined, left or were re-created since the plan."""

    model_config = ConfigDict(extra="forbid")

    migration: str
    migration_id: str
    cluster_uid: str
    target: str
    nodes: list[NodeReport] = Field(default_factory=list)
    moved: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    backup: str = ""
    approvals: list[Approval] = Field(default_factory=list)

    @property
    def failed(self) -> list[NodeReport]:
        """The nodes that did not arrive."""
        return [node for node in self.nodes if node.outcome in ("failed", "rolled-back", "unhealthy")]
