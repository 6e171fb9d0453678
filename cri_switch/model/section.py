"""A part of the settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """What a part has: no key that it does not know, and it is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
