"""Groups of hosts with their variables, as an Ansible inventory has them: from INI or YAML."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cri_switch.render.ansible_yaml import Vars, load_vars
from cri_switch.render.errors import RenderError
from cri_switch.render.inventory_range import expanded

_SECTION = re.compile(r"\[([^\]:]+)(?::(vars|children))?\]\s*(?:[#;].*)?")


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
