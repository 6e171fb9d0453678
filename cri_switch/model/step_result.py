"""What a step did on a node; the checkpoint of a step is this, persisted."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class StepResult(BaseModel):
    """One step of one attempt: times are seconds since the epoch by the orchestrator's clock.

    `changed` counts what was executed on the node or in the API; 0 means that nothing was missing, and `summary` says
    why. `data` is what later steps need of it, JSON only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    node: str
    step: str
    summary: str
    changed: int = 0
    started: float
    finished: float
    data: dict[str, Any] = Field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.finished - self.started
