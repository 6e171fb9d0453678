"""What the simulated API knows of a request's options: it would pass others over in silence, a real one would not."""

from __future__ import annotations

from typing import Any

from cri_switch.rehearsal.api_reply import Call

_SELECTORS = frozenset({"labelSelector", "fieldSelector"})
_QUERY = {
    "list": _SELECTORS | {"limit", "continue"},
    "watch": _SELECTORS | {"watch", "resourceVersion", "timeoutSeconds"},
    "get": frozenset[str](),
}
_CHANGE = frozenset({"dryRun"})
_DELETE = frozenset({"apiVersion", "kind", "preconditions", "gracePeriodSeconds", "dryRun"})
_PRECONDITIONS = frozenset({"uid"})


def strange_options(call: Call, verb: str) -> list[str]:
    """The query's and the DeleteOptions' names that a verb (RBAC's word) is asked with and that mean nothing here."""
    found = set(call.query) - _QUERY.get(verb, _CHANGE)
    body = call.body if isinstance(call.body, dict) else {}
    options: dict[str, Any] = body if verb == "delete" else body.get("deleteOptions") or {}
    found |= set(options) - _DELETE
    found |= {f"preconditions.{name}" for name in set(options.get("preconditions") or {}) - _PRECONDITIONS}
    return sorted(found)
