"""What the flow of one node answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from cri_switch.model.attempt import Attempt
from cri_switch.model.step_result import StepResult


class NodeOutcome(BaseModel):
    """The attempt that went through, and its steps in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempt: Attempt
    results: tuple[StepResult, ...]

    def seconds(self) -> dict[str, float]:
        """Seconds per step."""
        return {result.step: round(result.seconds, 2) for result in self.results}

    @property
    def out_of_service(self) -> float:
        """Seconds from the node's first eviction to its uncordon."""
        at = {result.step: result for result in self.results}
        return round(at["uncordon"].finished - at["drain"].started, 2)

    @property
    def cordoned(self) -> float:
        """Seconds cordoned and waiting before the first eviction."""
        at = {result.step: result for result in self.results}
        return round(max(0.0, at["drain"].started - at["cordon"].finished), 2)
