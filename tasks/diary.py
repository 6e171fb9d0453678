"""The node's journal, as tasks write it."""

from __future__ import annotations

import time

from prefect.runtime import flow_run

from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.node.journal import Entry, Event, append
from tasks import reach


def write_down(attempt: Attempt, migration: Migration, step: str, event: Event, summary: str = "") -> None:
    """One line in the node's journal: what happened, in which attempt and run. A dry run writes none."""
    if migration.spec.dry_run:
        return
    entry = Entry(
        time=time.time(),
        run=str(flow_run.get_id() or ""),
        attempt=attempt.number,
        step=step,
        event=event,
        summary=summary,
        boot_id=attempt.boot_id,
    )
    append(reach.node(attempt.node, migration), attempt.migration_id, entry)
