"""A request to the simulated API and its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from cri_switch.rehearsal.api_kinds import Kind
from cri_switch.rehearsal.store import Conflict

Obj = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A request as it came in."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = "application/json"
    authorization: str = ""

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be stored."""
        options = self.body if isinstance(self.body, dict) else {}
        inner = options.get("deleteOptions") or {}
        return self.query.get("dryRun") == "All" or "All" in (inner.get("dryRun") or options.get("dryRun") or [])


@dataclass(frozen=True)
class Reply:
    """An answer; `text` is not JSON. `after` is a delay in real seconds, `lost` ends the connection instead."""

    status: int
    body: Any = None
    text: str = ""
    after: float = 0.0
    lost: bool = False

    @property
    def data(self) -> bytes:
        """The body's bytes."""
        return self.text.encode() if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Place:
    """What a path names."""

    kind: Kind
    namespace: str
    name: str
    subresource: str


def failure(code: int, reason: str, message: str, details: Obj | None = None, *, after: float = 0.0) -> Reply:
    """A Status object."""
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return Reply(
        code, {**body, "message": message, "reason": reason, "details": details or {}, "code": code}, after=after
    )


def not_found(place: Place) -> Reply:
    """404, as of a kind that is served."""
    full = f"{place.kind.plural}.{place.kind.group}" if place.kind.group else place.kind.plural
    details = {"name": place.name, "group": place.kind.group, "kind": place.kind.plural}
    return failure(404, "NotFound", f'{full} "{place.name}" not found', details)


def conflict(place: Place, problem: Conflict) -> Reply:
    """409: it is there already, or it changed meanwhile."""
    full = f"{place.kind.plural}.{place.kind.group}" if place.kind.group else place.kind.plural
    if "already exists" in str(problem):
        return failure(409, "AlreadyExists", f'{full} "{place.name}" already exists')
    return failure(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {full} "{place.name}": the object has been modified;'
        " please apply your changes to the latest version and try again",
    )
