"""labelSelector and fieldSelector of a list request."""

from __future__ import annotations

import re
from typing import Any

Obj = dict[str, Any]
_SET = re.compile(r"^(?P<key>\S+)\s+(?P<how>in|notin)\s+\((?P<values>[^)]*)\)$")
_KEY = re.compile(r"^[A-Za-z0-9][A-Za-z0-9./_-]*$")
FIELDS = ("metadata.name", "metadata.namespace", "spec.nodeName", "status.phase", "spec.unschedulable",
          "involvedObject.name", "involvedObject.kind", "type", "reason")  # fmt: skip


class BadSelector(Exception):
    """A selector that the server does not take (400)."""


def matches(obj: Obj, labels: str, fields: str) -> bool:
    """Whether an object is meant. Raises BadSelector."""
    mine = obj["metadata"].get("labels") or {}
    return all(_label(part, mine) for part in _parts(labels)) and all(_field(part, obj) for part in _parts(fields))


def _parts(text: str) -> list[str]:
    """Split at the commas outside of parentheses."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def _label(part: str, labels: dict[str, str]) -> bool:
    if found := _SET.match(part):
        values = {value.strip() for value in found["values"].split(",")}
        return (labels.get(found["key"]) in values) == (found["how"] == "in")
    if equation := _equation(part):
        key, same, value = equation
        return (labels.get(key) == value) == same
    if not _KEY.match(part.removeprefix("!")):
        raise BadSelector(f"unable to parse requirement: found '{part}'")
    return part[1:] not in labels if part.startswith("!") else part in labels


def _field(part: str, obj: Obj) -> bool:
    equation = _equation(part)
    if equation is None:
        raise BadSelector(f"invalid field selector: {part}")
    path, same, value = equation
    if path not in FIELDS:
        raise BadSelector(f"field label not supported: {path}")
    found: Any = obj
    for name in path.split("."):
        found = (found or {}).get(name)
    text = str(found).lower() if isinstance(found, bool) else str(found or "")
    return (text == value) == same


def _equation(part: str) -> tuple[str, bool, str] | None:
    """(`a`, whether it is =, `b`) of `a=b`, `a==b`, `a!=b`."""
    for sign, same in (("!=", False), ("==", True), ("=", True)):
        left, has, right = part.partition(sign)
        if has:
            return left.strip(), same, right.strip()
    return None
