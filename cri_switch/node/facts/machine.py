"""The machine: which system, which boot, what time."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from cri_switch.node.command import Result, plain
from cri_switch.node.fact import Fact


@dataclass(frozen=True)
class OsRelease:
    """/etc/os-release: `id` and `id_like` say which distribution, `version` is VERSION_ID ("11")."""

    id: str
    version: str
    id_like: tuple[str, ...]


def parse_os_release(text: str) -> OsRelease:
    """os-release(5): NAME=value, shell-quoted; lines that are not understood are skipped."""
    found: Mapping[str, str] = dict(_pair(line) for line in text.splitlines() if "=" in line and line[:1] != "#")
    name, version = found.get("ID", "linux"), found.get("VERSION_ID", "")
    return OsRelease(name, version, tuple(found.get("ID_LIKE", "").split()))


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.strip().partition("=")
    try:
        words = shlex.split(value)
    except ValueError:
        words = []
    return name, words[0] if words else ""


def _text(result: Result) -> str:
    return result.stdout.strip()


BOOT_ID: Fact[str] = Fact("boot id", plain("cat", "/proc/sys/kernel/random/boot_id"), _text)
"""Another after each boot."""
CLOCK: Fact[float] = Fact("clock", plain("date", "+%s.%N"), lambda result: float(result.stdout))
"""Seconds since the epoch by the node's own clock."""
