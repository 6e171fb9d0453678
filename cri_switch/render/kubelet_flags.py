"""The kubelet's flags in an environment file of systemd, edited token by token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cri_switch.render.errors import RenderError
from cri_switch.render.version import minor_of

FLAGS_FILE = "/var/lib/kubelet/kubeadm-flags.env"
VARIABLES = ("KUBELET_KUBEADM_ARGS", "KUBELET_EXTRA_ARGS")
"""kubeadm's own variable, and the administrator's (/etc/default/kubelet), which 10-kubeadm.conf puts last."""

_ASSIGNMENT = re.compile(rf"[ \t]*({'|'.join(VARIABLES)})[ \t]*=[ \t]*")
_NO_ASSIGNMENT = re.compile(rf"[ \t]*(?:export[ \t]+(?:{'|'.join(VARIABLES)})|(?:{'|'.join(VARIABLES)})(?![ \t]*=))\b")
_READ = re.compile(r"[ \t]*(?:[#;].*|[A-Za-z_][A-Za-z0-9_]*[ \t]*=.*)?$")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SINGLE = re.compile(r"'([^']*)'")
_TOKEN = re.compile(r'(?:\\"(?:(?!\\").)*\\"|"[^"]*"|\'[^\']*\'|\\.|[^\s"\'\\])+')
_DOCKERSHIM_PREFIXES = ("network-plugin", "cni-", "docker")
_DOCKERSHIM = frozenset(
    {"image-pull-progress-deadline", "experimental-dockershim", "experimental-dockershim-root-directory"}
)
_BOOLEAN = frozenset({"docker-only", "docker-tls", "docker-disable-shared-pid", "experimental-dockershim"})
_CARRIED = ("cni-conf-dir", "cni-bin-dir", "pod-infra-container-image", "cgroup-driver")


@dataclass(frozen=True)
class _Flag:
    """One flag in the raw value: `start` and `end` are its span, with a separate value where it has one."""

    name: str
    value: str
    start: int
    end: int


@dataclass(frozen=True)
class _Assignment:
    """One `NAME=value` line: `start` and `end` are the span of the value in the text, without its quotes."""

    variable: str
    raw: str
    start: int
    end: int


def switch_flags(text: str, *, endpoint: str, kubelet_version: str, path: str = FLAGS_FILE) -> str:
    """The file's text with the flags for a remote runtime at `endpoint`; unchanged where they are right already.

    By version (kubelet's changelogs 1.24, 1.27, 1.35): up to 1.23 `--container-runtime=remote` and the endpoint; from
    1.24 the endpoint (a `--container-runtime=remote` stays until 1.26); from 1.27 no `--container-runtime`; from 1.35
    no `--pod-infra-container-image`. dockershim's flags go always. New flags are appended; everything else, spacing
    and comments included, stays as it is.

    Raises: RenderError for broken quoting, a missing or doubled variable, an endpoint that would need quotes.
    """
    if not re.fullmatch(r"[A-Za-z0-9/._:@-]+", endpoint):
        raise RenderError(path, 0, f"the endpoint {endpoint!r} cannot be written as a flag")
    minor = minor_of(kubelet_version, path)
    found = list(_assignments(text, path))
    if not found:
        line = next(iter(ignored_lines(text)), 0)
        raise RenderError(path, line, f"no line sets {' or '.join(VARIABLES)}", next_step=f"look at it: cat {path}")
    main = min(found, key=lambda one: VARIABLES.index(one.variable))
    wanted = {"container-runtime": "remote"} if minor <= 23 else {}
    wanted["container-runtime-endpoint"] = endpoint
    for one in reversed(found):
        raw = _edit(one.raw, wanted if one is main else {}, minor)
        text = text[: one.start] + raw + text[one.end :]
    return text


def flag_value(text: str, name: str, path: str = FLAGS_FILE) -> str | None:
    """The value of a flag that counts (the last one), "true" for a bare one, None where it is not given."""
    value = None
    for one in sorted(_assignments(text, path), key=lambda one: VARIABLES.index(one.variable)):
        for flag in _flags(one.raw):
            if flag.name == _normal(name):
                value = flag.value
    return value


def carried(text: str, path: str = FLAGS_FILE) -> dict[str, str]:
    """The flags whose values must move into the runtime's configuration, as found.

    >>> carried('KUBELET_KUBEADM_ARGS="--cni-bin-dir=/x --pod-infra-container-image=k8s.gcr.io/pause:3.2"')
    {'cni-bin-dir': '/x', 'pod-infra-container-image': 'k8s.gcr.io/pause:3.2'}
    """
    values = {name: flag_value(text, name, path) for name in _CARRIED}
    return {name: value for name, value in values.items() if value is not None}


def dropped(text: str, path: str = FLAGS_FILE) -> dict[str, str]:
    """dockershim's own flags that go and that nothing is made of, by name, in the order of the file."""
    flags = [flag for one in _assignments(text, path) for flag in _flags(one.raw)]
    return {flag.name: flag.value for flag in flags if _of_dockershim(flag.name) and flag.name not in _CARRIED}


def ignored_lines(text: str) -> list[int]:
    """Numbers of the lines that systemd leaves out: neither NAME=value nor a comment (systemd.exec(5))."""
    lines, goes_on = [], False
    for number, line in enumerate(text.splitlines(), start=1):
        if not (goes_on or _READ.match(line)):
            lines.append(number)
        goes_on = line.endswith("\\")
    return lines


def parse_flags(value: str) -> list[str]:
    """A variable's value as the kubelet's arguments: split at blanks, quotes honoured and taken off (systemd.service).

    >>> parse_flags("--a=b --c 'd e'")
    ['--a=b', '--c', 'd e']
    """
    return [_unquoted(match.group()) for match in _TOKEN.finditer(value)]


def _assignments(text: str, path: str) -> Iterator[_Assignment]:
    offset, seen = 0, set()
    if text.startswith("\ufeff"):
        raise RenderError(path, 1, "a byte order mark, which systemd takes for a part of the first name")
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if _NO_ASSIGNMENT.match(line):
            raise RenderError(path, number, "systemd does not read this line: it is not NAME=value")
        match = _ASSIGNMENT.match(line)
        if match:
            if match[1] in seen:
                raise RenderError(
                    path, number, f"{match[1]} is set twice; systemd takes the last, so join them by hand"
                )
            seen.add(match[1])
            start, end = _value_span(line.rstrip("\r\n"), match.end(), path, number)
            raw = line[start:end]
            if _TOKEN.sub("", raw).strip():
                raise RenderError(path, number, f"{match[1]} has a quote that is not closed")
            yield _Assignment(match[1], raw, offset + start, offset + end)
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


def _flags(raw: str) -> list[_Flag]:
    tokens = list(_TOKEN.finditer(raw))
    flags = []
    for index, token in enumerate(tokens):
        word = _unquoted(token.group())
        if not word.startswith("--") or word == "--":
            continue
        name, equals, value = word[2:].partition("=")
        name, end = _normal(name), token.end()
        if not equals:
            value = "true"
            following = tokens[index + 1] if index + 1 < len(tokens) else None
            if following and name not in _BOOLEAN and not following.group().startswith("-"):
                value, end = _unquoted(following.group()), following.end()
        flags.append(_Flag(name, value, token.start(), end))
    return flags


def _edit(raw: str, wanted: dict[str, str], minor: int) -> str:
    flags = _flags(raw)
    right = {name for name, value in wanted.items() if (given := _values(flags, name)) and set(given) == {value}}
    for flag in reversed(flags):
        if _goes(flag, minor, lambda name: name in right):
            raw = _cut(raw, flag.start, flag.end)
    missing = [f"--{name}={value}" for name, value in wanted.items() if name not in right]
    if not missing:
        return raw
    return " ".join([*([raw.rstrip()] if raw.strip() else []), *missing])


def _goes(flag: _Flag, minor: int, right: Callable[[str], bool]) -> bool:
    if flag.name == "container-runtime":
        return minor >= 27 or not (right(flag.name) or (minor >= 24 and flag.value == "remote"))
    if flag.name == "container-runtime-endpoint":
        return not right(flag.name)
    if flag.name == "pod-infra-container-image":
        return minor >= 35
    return _of_dockershim(flag.name)


def _of_dockershim(name: str) -> bool:
    return name in _DOCKERSHIM or name.startswith(_DOCKERSHIM_PREFIXES)


def _values(flags: list[_Flag], name: str) -> list[str]:
    return [flag.value for flag in flags if flag.name == name]


def _cut(raw: str, start: int, end: int) -> str:
    """Without a span and the blanks that belong to it: those after it, or at the end those before it."""
    rest = raw[end:].lstrip()
    return raw[:start] + rest if rest else raw[:start].rstrip()


def _normal(name: str) -> str:
    return name.replace("_", "-")


def _unquoted(token: str) -> str:
    token = token.replace('\\"', '"')
    return re.sub(r"\"([^\"]*)\"|'([^']*)'", lambda match: match[1] if match[1] is not None else match[2], token)
