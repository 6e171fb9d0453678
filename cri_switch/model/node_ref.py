"""A node as the cluster names it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["control-plane", "worker"]


class NodeRef(BaseModel):
    """What identifies a node over a whole run: small and serialisable, so tasks may pass it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    uid: str
    address: str = ""
    role: Role = "worker"
    kubelet_version: str = ""
    runtime: str = ""
    unschedulable: bool = False
    """Whether it was cordoned when the plan was made."""
    pod_cidrs: tuple[str, ...] = ()
    machine_id: str = ""
    """What its kubelet read from /etc/machine-id."""

    def __str__(self) -> str:
        return self.name
