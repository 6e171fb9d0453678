"""A distribution's release: what its package sources offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """`os_release` is the file's text, `offered` are package versions by name, `bin_dir` its containerd's CNI trap."""

    name: str
    os_release: str
    offered: Mapping[str, str]
