"""All that preflight and plan read off one node, and what a migration has written down there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from typing import Any

from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.secrets import masked
from cri_switch.node.before import before_fact
from cri_switch.node.connection import Connection
from cri_switch.node.facts.certificates import certificates
from cri_switch.node.facts.machine import BOOT_ID
from cri_switch.node.journal import journal_fact
from tasks.guarded import Guarded
from tasks.node_state import Reading


def node_facts(connection: Connection, node: NodeRef, migration: Migration, migration_id: str) -> dict[str, Any]:
    """By name; secrets in texts are masked. What could not be read is in `problems`.

    Raises: CriSwitchError where the node cannot be asked.
    """
    guarded = Guarded()
    reading = Reading(connection, node, migration, guarded)
    files = {path: reading.texts[path] for path in reading.settings_files if path in reading.texts}
    found: dict[str, Any] = {
        "node": node.model_dump(),
        "boot_id": BOOT_ID.read(connection),
        "state": asdict(reading.state()),
        "docker": None if reading.info is None else asdict(reading.info),
        "containers": [asdict(each) for each in reading.containers or ()],
        "kubelet_unit": reading.unit,
        "files": files,
        "sha256": reading.hashes(),
        "journal": [asdict(each) for each in journal_fact(migration_id).read(connection)],
        "before": asdict(before_fact(migration_id).read(connection)),
    }
    if node.role == "control-plane":
        found["certificates"] = [asdict(each) for each in certificates().read(connection)]
    found["problems"] = [problem.what for problem in guarded.problems]
    told: dict[str, Any] = as_json(found)
    return told


def as_json(value: Any) -> Any:
    """As JSON can have it, every text masked."""
    if isinstance(value, str):
        return masked(value)
    if is_dataclass(value) and not isinstance(value, type):
        return as_json(asdict(value))
    if isinstance(value, dict):
        return {str(key): as_json(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(as_json(each) for each in value)
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    return value


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """(`state.stores./var/lib.free`, text) of every value, for a table."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from flat(each, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, each in enumerate(value):
            yield from flat(each, f"{name}[{number}]")
    elif isinstance(value, list):
        yield name, ", ".join(str(each) for each in value)
    else:
        yield name, "" if value is None else str(value)
