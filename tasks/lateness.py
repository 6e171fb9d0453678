"""A schedule's run that comes too late: missed windows all run at once when a worker comes back (prefect.md 9b)."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect.context import get_run_context
from prefect.runtime import flow_run

from cri_switch.model.migration import Migration
from cri_switch.model.window import Window


def lateness(
    scheduled: datetime | None, now: datetime, *, by_schedule: bool, allowed: float, window: Window | None = None
) -> str:
    """Why a run must not start any more, or "". Only a schedule's run can be too late; a person's word is not.

    A run scheduled inside a window may start until that window closes; without one, until `allowed` seconds later.
    """
    if not by_schedule or scheduled is None:
        return ""
    closed = window.closes_at(scheduled) if window else None
    if closed is not None:
        return "" if now < closed else f"scheduled for {_text(scheduled)}, in a window that closed at {_text(closed)}"
    late = (now - scheduled).total_seconds()
    if late <= allowed:
        return ""
    return f"scheduled for {_text(scheduled)}, {late:.0f} s ago: more than start_within ({allowed:.0f} s)"


def too_late(migration: Migration) -> str:
    """`lateness` of this run's first go: a Retry has been counted, a Resume has left the key of its pause behind."""
    run = getattr(get_run_context(), "flow_run", None)
    again = run is not None and (run.run_count > 1 or bool(run.empirical_policy.pause_keys))
    return lateness(
        flow_run.get_scheduled_start_time(),
        datetime.now(UTC),
        by_schedule=bool(run is not None and run.auto_scheduled and not again),
        allowed=migration.spec.start_within,
        window=migration.spec.window,
    )


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M %Z}"
