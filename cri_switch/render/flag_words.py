"""The kubelet's flags in the value of an environment variable, as systemd splits it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r'(?:\\"(?:(?!\\").)*\\"|"[^"]*"|\'[^\']*\'|\\.|[^\s"\'\\])+')
_BOOLEAN = frozenset({"docker-only", "docker-tls", "docker-disable-shared-pid", "experimental-dockershim"})


@dataclass(frozen=True)
class Flag:
    """One flag in the raw value: `start` and `end` are its span, with a separate value where it has one."""

    name: str
    value: str
    start: int
    end: int


def is_closed(value: str) -> bool:
    """Whether every quote in it is closed."""
    return not _TOKEN.sub("", value).strip()


def flags_in(raw: str) -> list[Flag]:
    """The flags in a raw value; of one that takes no value the next word is none."""
    tokens = list(_TOKEN.finditer(raw))
    flags = []
    for index, token in enumerate(tokens):
        word = _unquoted(token.group())
        if not word.startswith("--") or word == "--":
            continue
        name, equals, value = word[2:].partition("=")
        name, end = normal(name), token.end()
        if not equals:
            value = "true"
            following = tokens[index + 1] if index + 1 < len(tokens) else None
            if following and name not in _BOOLEAN and not following.group().startswith("-"):
                value, end = _unquoted(following.group()), following.end()
        flags.append(Flag(name, value, token.start(), end))
    return flags


def normal(name: str) -> str:
    """A flag's name as it is written everywhere here: the kubelet takes `_` for `-`."""
    return name.replace("_", "-")


def _unquoted(token: str) -> str:
    token = token.replace('\\"', '"')
    return re.sub(r"\"([^\"]*)\"|'([^']*)'", lambda match: match[1] if match[1] is not None else match[2], token)
