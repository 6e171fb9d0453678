"""The `cri-switch` command: the only part above flows/."""

from __future__ import annotations

from cri_switch.cli.main import main

__all__ = ["main"]
