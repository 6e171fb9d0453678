"""No node starts outside the window, nor when it would not be done before its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.runtime import flow_run

from cri_switch.model.migration import Migration
from cri_switch.model.window import Window
from tasks import lateness as module
from tasks.lateness import lateness, too_late
from tasks.window import closed, estimate

NIGHT = Window(days=["mon"], start="22:00", end="04:00")
OPEN = datetime(2026, 11, 23, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "seconds", "words"),
    [
        (0, 600, ""),
        (-1, 0, "is closed; it opens again at 2026-11-23 22:00 UTC"),
        (350, 600, ""),
        (351, 600, "closes at 04:00 UTC, a node takes 600 s; it opens again at 2026-11-30 22:00 UTC"),
        (359, 0, ""),
        (360, 0, "is closed"),
    ],
)
def test_closed(minutes: float, seconds: float, words: str) -> None:
    found = closed(NIGHT, OPEN + timedelta(minutes=minutes), seconds)
    assert words in found
    assert bool(found) == bool(words)


def test_the_estimate_is_this_runs_own_longest() -> None:
    done: list[Any] = [SimpleNamespace(seconds=lambda n=n: {"drain": n, "settle": 1.0}) for n in (30.0, 90.0, 60.0)]
    assert estimate([], 600) == 600
    assert estimate(done, 600) == 91.0


@pytest.mark.parametrize(
    ("late", "by_schedule", "window", "expected"),
    [
        (1799, True, None, ""),
        (1801, True, None, "start_within"),
        (1801, False, None, ""),
        (5 * 3600, True, NIGHT, ""),  # the same window is still open
        (6 * 3600, True, NIGHT, "in a window that closed at 2026-11-24 04:00 UTC"),
        (7 * 86400, True, NIGHT, "in a window that closed"),  # that the next one is open does not count
        (7 * 86400, False, NIGHT, ""),
    ],
)
def test_lateness(late: float, by_schedule: bool, window: Window | None, expected: str) -> None:
    now = OPEN + timedelta(seconds=late)
    found = lateness(OPEN, now, by_schedule=by_schedule, allowed=1800, window=window)
    assert expected in found
    assert bool(found) == bool(expected)


@pytest.mark.parametrize(
    ("run_count", "pauses", "late"),
    [(1, set(), True), (2, set(), False), (1, {"after_canary"}, False)],
    ids=["first", "retry", "resumed"],
)
def test_only_the_first_go_of_a_run_can_be_too_late(
    run_count: int, pauses: set[str], late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Retry keeps the time that was planned first, and a Resume does not count as another go (Prefect 3.8.8)."""
    run = SimpleNamespace(auto_scheduled=True, run_count=run_count, empirical_policy=SimpleNamespace(pause_keys=pauses))
    monkeypatch.setattr(module, "get_run_context", lambda: SimpleNamespace(flow_run=run))
    monkeypatch.setattr(flow_run, "get_scheduled_start_time", lambda: OPEN)
    migration = Migration.model_validate(
        {"metadata": {"name": "m"}, "spec": {"cluster": {"kubeconfig": "k"}, "backup": {"directory": "b"}}}
    )
    assert bool(too_late(migration)) is late
