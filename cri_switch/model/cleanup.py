"""What `cleanup` found and did."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class CleanedNode(BaseModel):
    """One node; `freed` is in bytes, None where nothing was deleted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    path: str = ""
    outcome: Literal["to-delete", "deleted", "gone", "refused", "left-alone", "failed"]
    freed: int | None = None
    reason: str = ""


class Cleanup(BaseModel):
    """The whole cluster, as `-o json` shows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cluster: str
    """Its name in the kubeconfig: what has to be typed."""
    nodes: tuple[CleanedNode, ...]

    @property
    def todo(self) -> tuple[CleanedNode, ...]:
        """The nodes whose Docker data would be deleted."""
        return tuple(node for node in self.nodes if node.outcome == "to-delete")

    @property
    def refused(self) -> tuple[CleanedNode, ...]:
        """Those where something stands in the way."""
        return tuple(node for node in self.nodes if node.outcome in ("refused", "failed"))
