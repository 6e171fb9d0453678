"""Whether labels satisfy a LabelSelector or a node selector's expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """A LabelSelector with both of its parts; an empty one selects everything."""
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(expression_holds(each, labels) for each in selector.get("matchExpressions") or [])


def expression_holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """In, NotIn, Exists, DoesNotExist, and a node selector's Gt and Lt (whole numbers)."""
    values, has = expression.get("values") or [], labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return has in values
        case "NotIn":
            return has not in values
        case "Exists":
            return has is not None
        case "Gt" | "Lt" as operator:
            if has is None or not values:
                return False
            return _number(has) > _number(values[0]) if operator == "Gt" else _number(has) < _number(values[0])
        case _:  # DoesNotExist
            return has is None


def _number(text: str) -> int:
    return int(text) if text.lstrip("-").isdigit() else 0
