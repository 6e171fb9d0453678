"""Lines of an environment file that set the kubelet's variables, with the places of their values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cri_switch.render.errors import RenderError
from cri_switch.render.flag_words import is_closed

VARIABLES = ("KUBELET_KUBEADM_ARGS", "KUBELET_EXTRA_ARGS")
"""kubeadm's own variable, and the administrator's (/etc/default/kubelet), which 10-kubeadm.conf puts last."""

_ASSIGNMENT = re.compile(rf"[ \t]*({'|'.join(VARIABLES)})[ \t]*=[ \t]*")
_NO_ASSIGNMENT = re.compile(rf"[ \t]*(?:export[ \t]+(?:{'|'.join(VARIABLES)})|(?:{'|'.join(VARIABLES)})(?![ \t]*=))\b")
_READ = re.compile(r"[ \t]*(?:[#;].*|[A-Za-z_][A-Za-z0-9_]*[ \t]*=.*)?$")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SINGLE = re.compile(r"'([^']*)'")
_WHOLE = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'", re.S)


@dataclass(frozen=True)
class Assignment:
    """One `NAME=value` line: `start` and `end` are the span of the value in the text, without its quotes."""

    variable: str
    raw: str
    start: int
    end: int


def assignments(text: str, path: str) -> Iterator[Assignment]:
    """Each of the variables that is set. Raises: RenderError for what systemd would not take as it is meant."""
    offset, seen = 0, set()
    if text.startswith("\ufeff"):
        raise RenderError(path, 1, "a byte order mark, which systemd takes for a part of the first name")
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if _NO_ASSIGNMENT.match(line):
            raise RenderError(path, number, "systemd does not read this line: it is not NAME=value")
        match = _ASSIGNMENT.match(line)
        if match:
            if match[1] in seen:
                raise _twice(match[1], path, number)
            seen.add(match[1])
            start, end = _value_span(line.rstrip("\r\n"), match.end(), path, number)
            raw = line[start:end]
            if not is_closed(raw):
                raise RenderError(path, number, f"{match[1]} has a quote that is not closed")
            yield Assignment(match[1], raw, offset + start, offset + end)
        offset += len(line)


def _value_span(line: str, start: int, path: str, number: int) -> tuple[int, int]:
    if line[start : start + 1] in ('"', "'"):
        quoted = (_DOUBLE if line[start] == '"' else _SINGLE).match(line, start)
        if quoted is None:
            raise RenderError(path, number, "a quote is not closed on this line")
        if line[quoted.end() :].strip():
            raise RenderError(path, number, f"text after the closing quote: {line[quoted.end() :].strip()!r}")
        return quoted.span(1)
    if line.endswith("\\"):
        raise RenderError(path, number, "a line that goes on in the next one; write it as one line")
    return start, max(start, len(line.rstrip()))


def check_environment(text: str, path: str) -> None:
    """For a file that is not edited: a value may go on in the next lines.

    Raises: RenderError for one of the variables that is set twice, of which systemd takes the last, or whose quote is
    never closed.
    """
    seen, offset = set(), 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if match := _ASSIGNMENT.match(line):
            if match[1] in seen:
                raise _twice(match[1], path, number)
            seen.add(match[1])
            start = offset + match.end()
            value = line[match.end() :].rstrip()
            whole = _WHOLE.match(text, start) if value[:1] in ('"', "'") else value.endswith("\\") or is_closed(value)
            if not whole:
                raise RenderError(path, number, f"{match[1]}: a quote is not closed")
        offset += len(line)


def _twice(variable: str, path: str, number: int) -> RenderError:
    return RenderError(path, number, f"{variable} is set twice; systemd takes the last, so join them by hand")


def ignored_lines(text: str) -> list[int]:
    """Numbers of the lines that systemd leaves out: neither NAME=value nor a comment (systemd.exec(5))."""
    lines, goes_on = [], False
    for number, line in enumerate(text.splitlines(), start=1):
        if not (goes_on or _READ.match(line)):
            lines.append(number)
        goes_on = line.endswith("\\")
    return lines
