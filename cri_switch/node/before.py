"""How a node was before its first change: what the way back has to restore beside the files."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cri_switch.model.errors import FileChanged
from cri_switch.node.command import Result
from cri_switch.node.fact import Fact
from cri_switch.node.files import file_fact
from cri_switch.node.home import folder

RUNTIME = ("containerd", "containerd.io", "runc")
PATHS = ("/etc/containerd", "/etc/containerd/config.toml", "/etc/containerd/certs.d", "/etc/crictl.yaml")
_POLICY = re.compile(r"^\*filter\n(?:(?!COMMIT).*\n)*?:FORWARD (ACCEPT|DROP) ", re.M)


@dataclass(frozen=True)
class UnitBefore:
    """A unit's state; `enabled` is at boot."""

    exists: bool = True
    active: bool = True
    enabled: bool = True
    masked: bool = False


@dataclass(frozen=True)
class Before:
    """The record. `known` is False where none was made: nothing was changed, or what was noted is restored already.

    `packages` are installed versions by name, `manual` and `held` those of them (held: also absent ones), `forward`
    is the policy by program, `paths` are those of PATHS that existed. `cluster` is the API's part, see tasks.
    """

    known: bool = True
    units: Mapping[str, UnitBefore] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    manual: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    forward: Mapping[str, str] = field(default_factory=dict)
    sysctls: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = PATHS
    cluster: Mapping[str, Any] = field(default_factory=dict)

    def unit(self, name: str) -> UnitBefore:
        """A unit as it was; one that was not noted ran."""
        return self.units.get(name, UnitBefore())


def before_path(migration_id: str) -> str:
    """Where the record lies on the node."""
    return f"{folder(migration_id)}/before.json"


def parse_before(text: str | None) -> Before:
    """The record; no file is a Before that is not known. A file is written whole, so it is never torn.

    Raises: FileChanged for a text that we did not write.
    """
    if text is None:
        return Before(known=False)
    try:
        raw = json.loads(text)
    except ValueError as problem:
        raise FileChanged(f"it is not the record that was written: {problem}") from problem
    names = {each.name for each in dataclasses.fields(Before)}
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in raw.items() if name in names
    }
    given["units"] = {name: UnitBefore(**unit) for name, unit in given.get("units", {}).items()}
    return Before(**given)


def before_fact(migration_id: str) -> Fact[Before]:
    """The record on the node."""
    path = before_path(migration_id)
    file = file_fact(path)

    def parse(result: Result) -> Before:
        try:
            return parse_before(file.parse(result).text)
        except FileChanged as problem:
            look = f"look at it on the node: sudo ls -l {path}"
            raise FileChanged(f"{path}: {problem.what}", next_step=look) from problem

    return Fact("how the node was before", file.command, parse)


def forward_policy(saved: str) -> str:
    """The policy of FORWARD in iptables-save's text, "" where there is none."""
    found = _POLICY.search(saved)
    return found[1] if found else ""
