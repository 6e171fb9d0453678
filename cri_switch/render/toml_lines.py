"""The same edit line by line, for texts whose tables stand in an order that tomlkit cannot edit."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

import tomlkit

Key = tuple[str, ...]


def edit_lines(text: str, wanted: Mapping[Key, Any], unwanted: Iterable[Key]) -> str:
    """The text with keys set and removed, where they stand on a line of their own below a [header].

    It knows headers and one-line values only and promises nothing: the caller reads the result back.
    """
    lines = text.splitlines()
    for key in unwanted:
        place = _line_of(lines, key)
        if place is not None:
            del lines[place]
    for key, value in wanted.items():
        place = _line_of(lines, key)
        line = f"{tomlkit.key(key[-1]).as_string()} = {tomlkit.item(value).as_string()}"
        header = _header_of(lines, key[:-1])
        if place is not None:
            lines[place] = _indent(lines[place]) + line
        elif header is not None:
            lines.insert(header + 1, _indent(lines[header]) + "  " + line if key[:-1] else line)
        else:
            lines += ["", f"[{'.'.join(tomlkit.key(part).as_string() for part in key[:-1])}]", f"  {line}"]
    return "\n".join(lines) + "\n"


def _header_of(lines: list[str], table: Key) -> int | None:
    """Number of a table's header line; -1 for the root table, None where the table has none."""
    if not table:
        return -1
    return next((number for number, line in enumerate(lines) if _names(line) == table), None)


def _line_of(lines: list[str], key: Key) -> int | None:
    header = _header_of(lines, key[:-1])
    if header is None:
        return None
    for number, line in enumerate(lines[header + 1 :], start=header + 1):
        if line.lstrip().startswith("["):
            return None
        if key[-1] in _parsed(line):
            return number
    return None


def _names(line: str) -> Key | None:
    """The table that a [header] line opens, None for any other line."""
    if not line.lstrip().startswith("[") or line.lstrip().startswith("[["):
        return None
    data, names = _parsed(line), []
    while data:
        ((name, data),) = data.items()
        names.append(name)
    return tuple(names)


def _parsed(line: str) -> dict[str, Any]:
    try:
        return tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return {}  # a line of a longer value: not one that is edited here


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
