"""Which steps were executed, by the nodes' journals and by the files of results; never by the engine's word."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.e2e.site import Site


def journal(site: Site, node: str) -> list[dict[str, Any]]:
    """All lines of the node's journals, in the order of time."""
    text = site.root(node, "sh", "-c", "cat /var/lib/cri-switch/*/journal.jsonl")
    return sorted((json.loads(line) for line in text.splitlines() if line), key=lambda entry: float(entry["time"]))


def completions(entries: list[dict[str, Any]]) -> Counter[tuple[int, str]]:
    """(attempt, step) -> how often it was executed to its end."""
    return Counter((e["attempt"], e["step"]) for e in entries if e["event"] in ("done", "noop"))


def starts(entries: list[dict[str, Any]]) -> Counter[tuple[int, str]]:
    """(attempt, step) -> how often its body was entered."""
    return Counter((e["attempt"], e["step"]) for e in entries if e["event"] == "started")


def results(storage: Path) -> dict[str, tuple[float, int]]:
    """Name of a result's file -> (time of its last change, inode): written again, either differs."""
    return {
        str(path.relative_to(storage)): (path.stat().st_mtime, path.stat().st_ino)
        for path in storage.rglob("*")
        if path.is_file()
    }
