"""Note how a node is, before its first change."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from cri_switch.node.action import Action, Do, Put, read
from cri_switch.node.before import (
    PATHS,
    RUNTIME,
    Before,
    UnitBefore,
    before_fact,
    before_path,
    forward_policy,
    parse_before,
)
from cri_switch.node.command import Result, plain, sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.network import IP6TABLES, IPTABLES, sysctl_values
from cri_switch.node.facts.packages import DOCKER, HELD, MANUAL, packages
from cri_switch.node.facts.units import units
from cri_switch.node.files import file_fact
from cri_switch.node.home import HOME, folder, home_fact
from cri_switch.node.reserve import keep_reserve
from cri_switch.render.sysctl import SYSCTLS

UNITS = ("docker.service", "docker.socket", "containerd.service", "kubelet.service")


def _existing(result: Result) -> tuple[str, ...]:
    return tuple(result.stdout.splitlines())


EXISTING: Fact[tuple[str, ...]] = Fact(
    "what exists of containerd's files", plain("stat", "-c", "%n", "--", *PATHS, ok=(0, 1)), _existing
)


def note_before(migration_id: str, package: str, cluster: Mapping[str, Any]) -> Action:
    """Write the record, once: it stays until the way back has restored everything, and moves aside then."""
    if (yield from read(before_fact(migration_id))).known:
        return "noted already"
    yield from read(home_fact(migration_id))
    names = tuple(dict.fromkeys((*DOCKER, *RUNTIME, package)))
    found = yield from read(units(*UNITS))
    known = yield from read(packages(*names))
    installed = {name: each.version for name, each in known.items() if each.installed}
    manual = yield from read(MANUAL)
    held = yield from read(HELD)
    saved = {"iptables": (yield from read(IPTABLES)), "ip6tables": (yield from read(IP6TABLES))}
    values = yield from read(sysctl_values(tuple(SYSCTLS)))
    paths = yield from read(EXISTING)
    record = Before(
        units={name: UnitBefore(u.exists, u.active, u.enabled, u.masked) for name, u in found.items()},
        packages=installed,
        manual=tuple(name for name in names if name in manual),
        held=tuple(name for name in names if name in held),
        forward={program: policy for program, text in saved.items() if (policy := forward_policy(text))},
        sysctls=values,
        paths=paths,
        cluster=cluster,
    )
    yield Do(sudo("install", "-d", "-m", "0700", "--", HOME, folder(migration_id)), "for the record")
    yield from keep_reserve(migration_id)
    yield Put(before_path(migration_id), _text(record), "note how the node was", mode=0o600)
    return "noted how the node was"


def note_cluster(migration_id: str, cluster: Mapping[str, Any]) -> Action:
    """Add to the API's part of the record, where there is one."""
    path = before_path(migration_id)
    file = yield from read(file_fact(path))
    before = parse_before(file.text)
    wanted = {**before.cluster, **cluster}
    if not before.known or wanted == before.cluster:
        return "noted already"
    yield Put(path, _text(dataclasses.replace(before, cluster=wanted)), "note what ran there", expect=file.sha256)
    return "noted what ran there"


def _text(record: Before) -> bytes:
    return json.dumps(dataclasses.asdict(record), separators=(",", ":")).encode()
