"""The API's patches: merge (RFC 7396), JSON (RFC 6902) and strategic, as far as the pipeline uses them."""

from __future__ import annotations

import copy
from typing import Any

_KEYS = {"conditions": "type", "containers": "name", "volumes": "name", "env": "name", "addresses": "type"}
"""Lists that a strategic patch merges by a key; all others it replaces here."""


class Unprocessable(Exception):
    """A patch that cannot be applied (422)."""


def patched(obj: Any, body: Any, content_type: str) -> Any:
    """The object after a patch; the object itself stays."""
    fresh = copy.deepcopy(obj)
    if content_type.startswith("application/json-patch"):
        for change in body:
            _json_patch(fresh, change)
        return fresh
    if content_type.startswith(("application/merge-patch", "application/strategic-merge-patch")):
        _merge(fresh, body, strategic="strategic" in content_type)
        return fresh
    raise Unprocessable(f"the body of the request was in an unknown format: {content_type}")


def _merge(target: dict[str, Any], body: dict[str, Any], *, strategic: bool) -> None:
    for key, value in body.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            if not isinstance(target.get(key), dict):
                target[key] = {}
            _merge(target[key], value, strategic=strategic)
        elif strategic and key in _KEYS and isinstance(value, list):
            target[key] = _by_key(target.get(key) or [], value, _KEYS[key])
        else:
            target[key] = copy.deepcopy(value)


def _by_key(old: list[Any], new: list[Any], key: str) -> list[Any]:
    found = {item[key]: copy.deepcopy(item) for item in old}
    for item in new:
        if item.get("$patch") == "delete":
            found.pop(item[key], None)
        else:
            _merge(found.setdefault(item[key], {}), item, strategic=True)
    return list(found.values())


def _json_patch(obj: Any, change: dict[str, Any]) -> None:
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in change["path"].split("/")[1:]]
    place = obj
    try:
        for part in way:
            place = place[int(part)] if isinstance(place, list) else place[part]
        index: Any = last
        if isinstance(place, list):
            index = len(place) if last == "-" else int(last)
        match change["op"]:
            case "test":
                if place[index] != change["value"]:
                    raise Unprocessable(f"testing value {change['path']} failed")
            case "add" if isinstance(place, list):
                place.insert(index, change["value"])
            case "add":
                place[index] = change["value"]
            case "replace":
                _ = place[index]
                place[index] = change["value"]
            case "remove":
                del place[index]
            case other:
                raise Unprocessable(f"the rehearsal knows no JSON patch operation {other!r}")
    except (KeyError, IndexError, TypeError, ValueError) as problem:
        raise Unprocessable(f"{change['op']} {change['path']}: {problem!r}") from problem
