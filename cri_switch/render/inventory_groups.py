"""Groups of hosts with their variables, as an Ansible inventory has them: from INI or YAML."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from cri_switch.render.errors import RenderError

Vars = dict[str, Any]

_SECTION = re.compile(r"\[([^\]:]+)(?::(vars|children))?\]\s*(?:[#;].*)?")
_RANGE = re.compile(r"\[([0-9]+|[A-Za-z]):([0-9]+|[A-Za-z])(?::([0-9]+))?\]")
_MOST = 100_000


@dataclass
class Group:
    """A group's own hosts, variables and the names of the groups below it."""

    hosts: dict[str, Vars] = field(default_factory=dict)
    vars: Vars = field(default_factory=dict)
    children: list[str] = field(default_factory=list)


Groups = dict[str, Group]


def parse_groups(text: str, path: str) -> Groups:
    """By the file's name YAML (.yml, .yaml, .json) or INI (Ansible's own plugins go by content; names tell as well).

    Raises:
        RenderError: what is not understood, with its line.
    """
    return _yaml_groups(text, path) if path.endswith((".yml", ".yaml", ".json")) else _ini_groups(text, path)


def _ini_groups(text: str, path: str) -> Groups:
    groups: Groups = {"ungrouped": Group()}
    group, part = groups["ungrouped"], ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and (section := _SECTION.fullmatch(line)):
            group, part = groups.setdefault(section[1].strip(), Group()), section[2] or ""
            continue
        try:
            if part == "vars":
                ((name, value),) = _pairs([line]).items()
                group.vars[name.strip()] = _unquoted(value.strip())
            elif part == "children":
                group.children.append(line.split()[0])
                groups.setdefault(group.children[-1], Group())
            else:
                name, *words = shlex.split(line, comments=True)
                host_vars = _pairs(words)
                for each in expanded(name):
                    host, given = _with_port(each, host_vars)
                    group.hosts.setdefault(host, {}).update(given)
        except ValueError as problem:
            raise RenderError(path, number, f"not understood: {problem}") from problem
    return groups


def _pairs(words: list[str]) -> Vars:
    found: Vars = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} is no NAME=VALUE")
        found[name] = value
    return found


def _with_port(host: str, given: Vars) -> tuple[str, Vars]:
    """`host:2222` is a host and its port; an IPv6 address is not."""
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit() and ":" not in name:
        return name, {"ansible_port": port, **given}
    return host, given


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return re.split(r"\s+[#;]", value, maxsplit=1)[0].rstrip()


def expanded(name: str) -> Iterator[str]:
    """`node[01:03]` is node01, node02, node03; `[a:c]` and steps too.

    Raises:
        ValueError: a range that is none.
    """
    found = _RANGE.search(name)
    if found is None:
        yield name
        return
    first, last, step = found[1], found[2], int(found[3] or 1)
    if first.isdigit() != last.isdigit() or step < 1:
        raise ValueError(f"{found[0]} is no range")
    if first.isdigit():
        words = [str(n).zfill(len(first)) for n in range(int(first), min(int(last), int(first) + _MOST) + 1, step)]
    else:
        words = [chr(n) for n in range(ord(first), ord(last) + 1, step)]
    for word in words:
        yield from expanded(name[: found.start()] + word + name[found.end() :])


def _yaml_groups(text: str, path: str) -> Groups:
    document = load_vars(text, path)
    groups: Groups = {}

    def add(name: str, body: Any) -> None:
        group = groups.setdefault(name, Group())
        if body is None:
            return
        if not isinstance(body, Mapping):
            raise RenderError(path, 0, f"group {name} is no mapping of hosts, vars and children")
        for host, given in (body.get("hosts") or {}).items():
            for each in expanded(str(host)):
                group.hosts.setdefault(each, {}).update(given or {})
        group.vars.update(body.get("vars") or {})
        for child, inner in (body.get("children") or {}).items():
            group.children.append(str(child))
            add(str(child), inner)

    for name, body in document.items():
        try:
            add(str(name), body)
        except (AttributeError, TypeError, ValueError) as problem:
            raise RenderError(path, 0, f"group {name} is not understood: {problem}") from problem
    return groups


class _Loader(yaml.SafeLoader):
    """Ansible's own tags (!vault, !unsafe) are taken for what nobody here reads."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def load_vars(text: str, path: str) -> Vars:
    """A mapping of YAML; an empty file is an empty one. Raises RenderError."""
    try:
        found = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        raise RenderError(path, mark.line + 1 if mark else 0, f"not YAML: {problem.problem}") from problem
    except (yaml.YAMLError, ValueError) as problem:
        raise RenderError(path, 0, f"not YAML: {problem}") from problem
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise RenderError(path, 1, "not a mapping")
    return found
