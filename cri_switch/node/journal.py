"""The journal on the node: what this migration did there, for the next run, for undo and for a human."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cri_switch.node.connection import Connection
from cri_switch.node.fact import Fact
from cri_switch.node.home import appended, folder, home_fact, lines_fact, making_commands, records

ROLLBACK_STEPS = frozenset({"rollback", "rollback_node", "undo"})

Event = Literal["opened", "started", "done", "noop", "failed"]


@dataclass(frozen=True)
class Entry:
    """One line: `time` is the orchestrator's, in seconds since the epoch; `run` is the flow run's id."""

    time: float
    run: str
    attempt: int
    step: str
    event: Event
    summary: str = ""
    boot_id: str = ""


def parse_entries(text: str) -> list[Entry]:
    """The entries that are whole, in order; fields that a later version added are passed over."""
    names, entries = {f.name for f in dataclasses.fields(Entry)}, []
    for record in records(text):
        if {"time", "run", "attempt", "step", "event"} <= record.keys() and isinstance(record["attempt"], int):
            entries.append(Entry(**{name: value for name, value in record.items() if name in names}))
    return entries


def journal_fact(migration_id: str) -> Fact[list[Entry]]:
    """The entries so far; none where there is no journal."""
    return lines_fact("journal", f"{folder(migration_id)}/journal.jsonl", parse_entries)


def append(connection: Connection, migration_id: str, entry: Entry) -> None:
    """Write one entry; the journal is made when there is none (directory 0700, file 0600)."""
    path = f"{folder(migration_id)}/journal.jsonl"
    command = appended(path, entry)
    written = connection.run(command)
    if written.rc != 0:
        if "No such file" in written.stderr:  # making it anew empties it
            home_fact(migration_id).read(connection)
            for making in making_commands(migration_id, path):
                connection.run(making)
        connection.run(dataclasses.replace(command, ok=frozenset({0})))


def next_attempt(entries: Sequence[Entry], boot_id: str, *, effects_true: bool) -> int:
    """Which attempt a run is: 1 on a fresh node, the last one while its checkpoints are true, else one more.

    They are true within the same boot, without a rollback since, and while the recorded effects hold.
    """
    if not entries:
        return 1
    last = max(entry.attempt for entry in entries)
    mine = [entry for entry in entries if entry.attempt == last]
    rebooted = any(entry.boot_id not in ("", boot_id) for entry in mine)
    rolled_back = any(entry.step in ROLLBACK_STEPS for entry in mine)
    return last if effects_true and not rebooted and not rolled_back else last + 1
