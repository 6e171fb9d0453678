"""Where a value ends that stands behind a key, in TOML, JSON, YAML, an environment file or a command line."""

from __future__ import annotations

import re
from dataclasses import dataclass

MASK = "***"
_HARMLESS = re.compile(r"(?:true|false|null|yes|no|none|~)(?=[\s,;\"'}\])]|$)", re.I)
_PATH = re.compile(r"[\"']?/[\w.-]+(?:/[\w.-]+)+(?=[\s,;\"'}\])]|$)")
_SCHEME = re.compile(r"(?:Basic|Bearer|Token)[ \t]+", re.I)
QUOTED = re.compile(
    r"(?P<q>\"\"\"|''')(?:.*?(?P=q)|.*)|\\\"(?:.*?\\\"|[^\n]*)|\"(?:(?:[^\"\\]|\\.)*\"|[^\n]*)|'(?:(?:[^']|'')*'|[^\n]*)",
    re.S,
)
_BLOCK = re.compile(r"[|>][-+0-9]*[ \t]*(?:#[^\n]*)?$", re.M)
_NOTHING = re.compile(r"(?:#[^\n]*)?$", re.M)
_NO_SCALAR = re.compile(r"[ \t]*(?:-[ \t]+)*(?:[\"']?[\w./-]+[\"']?[ \t]*:(?:[ \t]|$)|[{}\])])")
_COMMENT = re.compile(r"#[^\n]*")
_LINE = re.compile(r"(?:[^\n]*\\\n)*[^\n]*")
_WORD = re.compile(r"(?:\\.|[^\s\"'\\])+")
_IN_JSON_BELOW = re.compile(r"\s*(?=[\"'\[])")
_IN_JSON = re.compile(r"[^\s,}\]]+")
_IN_FLOW = re.compile(r"[^\n,}\]]+")
_IN_YAML = re.compile(r"(?:(?![ \t]#)[^\n])+")


@dataclass(frozen=True)
class KeyFound:
    """A key that names a secret: `close` is the quote behind it, `separator` is `=` or `:`, `start` its place."""

    name: str
    close: str
    separator: str
    start: int


def value_masked(text: str, key: KeyFound, start: int, *, prose: bool) -> tuple[int, int, str]:
    """The span of the key's value, and what is shown for it; an empty span where nothing needs a mask."""
    if key.separator == ":" and key.close and (json := _IN_JSON_BELOW.match(text, start)):
        start = json.end()
    if _shown(text, key, start):
        return start, start, ""
    if quoted := QUOTED.match(text, start):
        return start, quoted.end(), in_quotes(quoted[0])
    if text.startswith("[", start) and (end := _array_end(text, start)):
        return start, end, f'["{MASK}"]' if text[start + 1 : end - 1].strip() else text[start:end]
    return _plain(text, key, start, prose=prose)


def _shown(text: str, key: KeyFound, start: int) -> bool:
    """Whether the value is harmless, or none at all: `host:port`, a table."""
    ahead = text[start : start + 1]
    joined = key.separator == ":" and not key.close and text[start - 1] == ":"
    return (
        ahead == "{"
        or (joined and ahead not in ('"', "'", "[", "\n", ""))
        or _HARMLESS.match(text, start) is not None
        or (key.name.lower().endswith("key") and _PATH.match(text, start) is not None)
    )


def _plain(text: str, key: KeyFound, start: int, *, prose: bool) -> tuple[int, int, str]:
    """A value without quotes, for YAML with the lines below that belong to it."""
    before = text[text.rfind("\n", 0, key.start) + 1 : key.start]
    colon, is_block = key.separator == ":", text[start : start + 1] in ("|", ">")
    if colon and (block := (_BLOCK if is_block else _NOTHING).match(text, start)):
        return block.end(), *_deeper(text, block.end(), len(before), scalars=not is_block)
    bare = _bare(before, key, prose=prose).match(text, start)
    if bare is None or not bare[0]:
        return start, start, ""
    end = bare.end()
    if colon and not key.close and not _in_flow(before):
        end, _more = _deeper(text, end, len(before), scalars=True)
    scheme = _SCHEME.match(bare[0])
    return start, end, f"{scheme[0] if scheme else ''}{MASK}"


def _bare(before: str, key: KeyFound, *, prose: bool) -> re.Pattern[str]:
    """How far a value without quotes goes."""
    if key.separator == ":":
        return _IN_JSON if key.close else _IN_FLOW if _in_flow(before) else _IN_YAML
    if key.name.startswith("-"):
        return _WORD
    if before.endswith(('"', "'")):  # Environment="PASS=a b"
        return re.compile(rf"(?:\\.|[^{before[-1]}\\\n])+")
    return _LINE if not prose and before.strip() in ("", "export") else _WORD


def _in_flow(before: str) -> bool:
    return before.count("{") > before.count("}") or before.count("[") > before.count("]")


def in_quotes(text: str) -> str:
    """A quoted value with its quotes, masked; a scheme (Basic, Bearer) is shown."""
    quote = next(each for each in ('"""', "'''", '\\"', '"', "'") if text.startswith(each))
    inner = text[len(quote) :].removesuffix(quote)
    scheme = _SCHEME.match(inner)
    return f"{quote}{scheme[0] if scheme else ''}{MASK}{quote}" if inner else text


def _array_end(text: str, start: int) -> int:
    """Behind the bracket that closes the one at `start`; 0 where none does."""
    depth, place = 0, start
    while place < len(text):
        if skipped := QUOTED.match(text, place) or _COMMENT.match(text, place):
            place = skipped.end()
            continue
        depth += {"[": 1, "]": -1}.get(text[place], 0)
        place += 1
        if not depth:
            return place
    return 0


def _deeper(text: str, end: int, column: int, *, scalars: bool) -> tuple[int, str]:
    """The lines below that belong to a key of YAML: all that stand deeper, or of these the scalars only."""
    first = ""
    place = end
    while place < len(text):
        stop = text.find("\n", place + 1)
        line = text[place + 1 : stop if stop >= 0 else len(text)]
        indent = len(line) - len(line.lstrip(" \t"))
        item = line.lstrip().startswith("- ")
        if line.strip() and (
            indent < column + (0 if item and scalars else 1) or (scalars and _NO_SCALAR.match(line) is not None)
        ):
            break
        place = stop if stop >= 0 else len(text)
        if line.strip():
            end = place
            first = first or f"\n{line[:indent]}{'- ' if item and scalars else ''}{MASK}"
    return end, first
