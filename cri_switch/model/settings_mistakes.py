"""What is wrong with settings, each mistake by its line and key, with what may have been meant."""

from __future__ import annotations

import difflib
import types
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from cri_switch.model.migration import Migration

Keys = tuple[str | int, ...]


def dotted(keys: Keys) -> str:
    """`spec.nodes.limit[0]`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.lstrip(".") or "the file"


def messages(problems: list[ErrorDetails], lines: dict[Keys, int]) -> list[tuple[int, str]]:
    """One (line, message) per key, in the file's order; a union's alternatives are joined by "or"."""
    found: dict[Keys, list[str]] = {}
    for problem in problems:
        keys: Keys = problem["loc"]
        if problem["type"] == "missing":
            found.setdefault(keys, []).append("missing")
            continue
        while keys not in lines:  # pydantic's names of a union's members come after the keys of the file
            keys = keys[:-1]
        if problem["type"] == "extra_forbidden":
            found.setdefault(keys, []).append("unknown key" + _did_you_mean(keys))
        else:
            given = "" if isinstance(problem["input"], dict | list) else f", not {problem['input']!r}"
            message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
            found.setdefault(keys, []).append(message + given)
    answer = []
    for keys, said in found.items():
        line = next(lines[keys[:end]] for end in range(len(keys), -1, -1) if keys[:end] in lines)
        answer.append((line, f"{dotted(keys)}: {', or '.join(dict.fromkeys(said))}"))
    return sorted(answer)


def _did_you_mean(keys: Keys) -> str:
    section = _section(keys[:-1])
    if section is None:
        return ""
    known = list(section.model_fields)
    close = difflib.get_close_matches(str(keys[-1]), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def _section(keys: Keys) -> type[BaseModel] | None:
    """The model that a key leads to."""
    section: type[BaseModel] = Migration
    for key in keys:
        field = section.model_fields.get(str(key))
        kinds = [field.annotation] if field is not None else []
        if kinds and get_origin(kinds[0]) in {types.UnionType}:
            kinds = list(get_args(kinds[0]))
        models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not models:
            return None
        section = models[0]
    return section
