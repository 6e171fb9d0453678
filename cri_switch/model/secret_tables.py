"""Scalars in a table behind a key that names a secret, whatever their own keys are called."""

from __future__ import annotations

import re
from collections.abc import Callable

from cri_switch.model.secret_values import MASK, QUOTED, KeyFound, in_quotes, value_masked

_NO_SECRET = re.compile(r"\\?[\"']?(?:user(?:name)?|secretName)\\?[\"']?", re.I)
"""Who it is, and which of Kubernetes' secrets, is shown."""
_HARMLESS = re.compile(r"(?:true|false|null|yes|no|none|~)", re.I)
_BARE = re.compile(r"[^\s,={}\[\]\"']+")
_KEY_ENDS = re.compile(r"[ \t]*(?:=|:(?=[\s\"'\[{]))")
_PART = r"(?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')"
_PATH = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_LINE = re.compile(
    rf"^[ \t]*(?:\[\[?[ \t]*(?P<header>{_PATH})[ \t]*\]\]?[ \t]*(?:#[^\n]*)?$|(?P<key>{_PATH})[ \t]*=[ \t]*)", re.M
)
"""A header, or what comes before a value."""


def table_masked(text: str, start: int) -> tuple[int, str]:
    """Behind the brace that closes the one at `start` (or the text's end), and what is shown of it all."""
    parts, place, depth, shows = [], start, 0, False
    while place < len(text):
        found = QUOTED.match(text, place) or _BARE.match(text, place)
        if found is None:
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            shows = shows and text[place] not in ",}\n"
            parts.append(text[place])
            place += 1
            if not depth:
                break
            continue
        word, place = found[0], found.end()
        if _KEY_ENDS.match(text, place) or (found.re is _BARE and word.endswith(":")):
            shows = _NO_SECRET.fullmatch(word.rstrip(":")) is not None
        elif not shows and not _HARMLESS.fullmatch(word):
            word = in_quotes(word) if found.re is QUOTED else MASK
        parts.append(word)
    return place, "".join(parts)


def sections_masked(text: str, names_secret: Callable[[str], bool]) -> str:
    """A TOML file's text; all that is set below a header with a part that names a secret, is masked.

    A part with a dot, a colon or a slash in its quotes is a host or a plugin, and names nothing.
    """
    parts, done, place, secret = list[str](), 0, 0, False
    while found := _LINE.search(text, place):
        place = found.end()
        if found["header"]:
            names = [part.strip("\"'") for part in re.findall(_PART, found["header"])]
            secret = any(re.fullmatch(r"[\w-]+", name) and names_secret(name) for name in names)
        elif not secret or _NO_SECRET.fullmatch(found["key"]):
            quoted = QUOTED.match(text, place)
            place = quoted.end() if quoted else place
        else:
            start, end, shown = _assigned(text, place, found.start("key"))
            parts += [text[done:start], shown]
            done = place = max(end, place)
    return "".join([*parts, text[done:]])


def _assigned(text: str, place: int, start: int) -> tuple[int, int, str]:
    if text.startswith("{", place):
        return place, *table_masked(text, place)
    return value_masked(text, KeyFound("secret", "", "=", start), place, prose=False)
