"""Setting and removing keys in a TOML text, with its comments, order and foreign keys kept."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, InlineTable

from cri_switch.render.errors import RenderError
from cri_switch.render.toml_lines import Key, edit_lines


def parse_toml(text: str, path: str) -> dict[str, Any]:
    """The text's data; RenderError names file and line where it is not TOML."""
    if undecoded := re.search("[\udc80-\udcff]", text):
        raise RenderError(path, text.count("\n", 0, undecoded.start()) + 1, "not TOML: not UTF-8")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise RenderError(path, 0, "not TOML: nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        at_end = text.count("\n") + 1
        raise RenderError(path, int(line[1]) if line else at_end, f"not TOML: {error}") from None
    except ValueError as error:  # a number of thousands of digits
        raise RenderError(path, 0, f"not TOML: {error}") from None


def look_up(data: Mapping[str, Any], key: Key, default: Any = None) -> Any:
    """The value under a key of several parts, `default` where a part is missing or is no table."""
    value: Any = data
    for part in key:
        if not isinstance(value, Mapping) or part not in value:
            return default
        value = value[part]
    return value


def texts_only(value: Any) -> bool:
    """Whether a value is a list of strings, or an empty one."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def line_of(text: str, key: str) -> int:
    """The first line that sets a key of this name, 0 where none does (for messages; it reads no TOML)."""
    pattern = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
    return next((number for number, line in enumerate(text.splitlines(), start=1) if pattern.match(line)), 0)


def edit_toml(text: str, wanted: Mapping[Key, Any], unwanted: Iterable[Key], path: str) -> str:
    """The text with every `wanted` key set and no `unwanted` one left; unchanged where that holds already.

    The result is read back: it differs from the text in these keys alone. Where tomlkit cannot, line by line.

    Raises: RenderError where the text is not TOML, a part of a key is no table, or the text cannot be edited so.
    """
    gone = list(unwanted)
    before = parse_toml(text, path)
    after = copy.deepcopy(before)
    _apply(after, wanted, gone, path)
    if after == before:
        return text
    missing = {key: value for key, value in wanted.items() if look_up(before, key) != value}
    for result in _edited(text, missing, gone, path):
        if _says(result, after):
            return result
    raise RenderError(
        path,
        0,
        "cannot be edited safely: its tables are written in a way that leaves no place for a new key",
        next_step=f"write each table of {path} once, with its own [header], all tables of a plugin together",
    )


def _edited(text: str, wanted: Mapping[Key, Any], unwanted: list[Key], path: str) -> Iterator[str]:
    """By tomlkit where it can, then line by line, each only when it is asked for."""
    document = _edit_document(text, wanted, unwanted, path)
    if document is not None:
        yield document
    yield edit_lines(text, wanted, unwanted)


def _edit_document(text: str, wanted: Mapping[Key, Any], unwanted: list[Key], path: str) -> str | None:
    """tomlkit's edit; None where it cannot (tables of one parent far apart)."""
    try:
        document = tomlkit.parse(text if text.endswith("\n") or not text else text + "\n")
        _apply(document, wanted, unwanted, path)
        return tomlkit.dumps(document)
    except TOMLKitError:
        return None


def _says(text: str, data: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == data
    except tomllib.TOMLDecodeError:
        return False


def _apply(data: MutableMapping[str, Any], wanted: Mapping[Key, Any], unwanted: list[Key], path: str) -> None:
    for key in unwanted:
        table = look_up(data, key[:-1])
        if isinstance(table, MutableMapping) and key[-1] in table:
            del table[key[-1]]
    for key, value in wanted.items():
        if look_up(data, key) != value:
            _put(_table(data, key[:-1], path), key[-1], value)


def _table(data: MutableMapping[str, Any], key: Key, path: str) -> MutableMapping[str, Any]:
    table = data
    for index, part in enumerate(key):
        if part not in table:
            table[part] = _new_table(table, last=index == len(key) - 1)
        if not isinstance(table[part], MutableMapping):
            raise RenderError(path, 0, f"{'.'.join(key[: index + 1])} is not a table")
        table = table[part]
    return table


def _new_table(parent: MutableMapping[str, Any], *, last: bool) -> Any:
    if type(parent) is dict:
        return {}
    return tomlkit.inline_table() if isinstance(parent, InlineTable) else tomlkit.table(is_super_table=not last)


def _put(table: MutableMapping[str, Any], name: str, value: Any) -> None:
    present = table.get(name)
    if isinstance(present, Array) and isinstance(value, list):
        for index in reversed(range(len(present))):
            if present[index] not in value:
                del present[index]
        if present.unwrap() == value:
            return
    table[name] = value
