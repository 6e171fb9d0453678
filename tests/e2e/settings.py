"""Settings files: the lab's own, with something changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.site import Site


def settings(site: Site, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The document that `up` wrote for this cluster, with changes to its `spec`, merged in depth."""
    document: dict[str, Any] = yaml.safe_load((site.directory / "migration.yaml").read_text())
    _merge(document["spec"], changes or {})
    return document


def write(path: Path, document: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(dict(document), sort_keys=False))
    return path


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
