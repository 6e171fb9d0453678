"""One attempt at one node: what a checkpoint is true of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from cri_switch.model.node_ref import NodeRef


class Attempt(BaseModel):
    """Identity of an attempt; a step's checkpoint key is made of it and the step's name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cluster_uid: str
    migration_id: str
    node: NodeRef
    number: int
    boot_id: str = ""
    opened: float = 0.0
    """When, by the journal; in seconds since the epoch. A journal that is lost loses the attempt's checkpoints too."""

    def key(self, step: str) -> str:
        """The checkpoint key of a step: cluster, migration, node, attempt, step (DESIGN rule 2)."""
        number = f"{self.number}-{self.opened * 1000:.0f}"
        return f"{self.cluster_uid}.{self.migration_id}.{self.node.uid}.{number}.{step}"
