"""What a rehearsal in a process of its own answers when it is asked."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Seen(BaseModel):
    """What the simulator has to say."""

    complaints: list[str] = Field(default_factory=list)
    broken: list[str] = Field(default_factory=list)
    unfinished: list[str] = Field(default_factory=list)
    most_out: int = 0
    calls: int = 0


class NodeSeen(BaseModel):
    """One simulated machine, looked at by its own eyes."""

    journal: list[dict[str, Any]] = Field(default_factory=list)
    """Every line of cri-switch's journals there."""
    jobs: dict[str, bool] = Field(default_factory=dict)
    """Transient units by name, and whether each is at work."""
    installed: list[str] = Field(default_factory=list)
    """Packages."""
