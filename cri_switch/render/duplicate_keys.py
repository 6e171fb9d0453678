"""Keys that a JSON or YAML file sets twice: its readers take the last without a word."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*\"|[{}\[\]]")
_COLON = re.compile(r"\s*:")


@dataclass(frozen=True)
class DuplicateKey:
    """A key, and the lines (from 1) where it is set for the first time and again."""

    key: str
    first: int
    line: int


def in_json(text: str) -> list[DuplicateKey]:
    """Of a text that is JSON; of another one what happens to be found."""
    found: list[DuplicateKey] = []
    around: list[dict[str, int]] = [{}]
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in "{[":
            around.append({})
        elif word in "}]":
            around = around[:-1] or [{}]
        elif _COLON.match(text, token.end()):
            line, keys = text.count("\n", 0, token.start()) + 1, around[-1]
            key = _unescaped(word)
            if key in keys:
                found.append(DuplicateKey(key, keys[key], line))
            keys.setdefault(key, line)
    return found


def in_yaml(text: str) -> list[DuplicateKey]:
    """Of a text that is YAML; none of another one."""
    try:
        return sorted(_below(yaml.compose(text, Loader=yaml.SafeLoader), set()), key=lambda each: each.line)
    except (yaml.YAMLError, RecursionError, ValueError):
        return []


def _unescaped(word: str) -> str:
    try:
        return str(json.loads(word))
    except ValueError:
        return word


def _below(node: yaml.Node | None, seen: set[int]) -> Iterator[DuplicateKey]:
    if node is None or id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _below(each, seen)
    if isinstance(node, yaml.MappingNode):
        keys: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys and key.value != "<<":
                    yield DuplicateKey(key.value, keys[key.value], line)
                keys.setdefault(key.value, line)
            yield from _below(value, seen)
