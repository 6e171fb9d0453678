"""Whether another node may be started now.

The rule: outside the window no step begins a node: it is not tainted, staged, cordoned or drained, nor are its Docker
packages removed once it is done; and nothing is begun of a node that would not be done before the end. A node that is
in progress is finished: its steps, its way back, and its packages with `remove_docker: after_node`. What only puts a
run's own marks away (taints, cordons of nodes that were not begun, held DaemonSets) is done at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cri_switch.model.errors import WindowClosed
from cri_switch.model.migration import Migration
from cri_switch.model.node_outcome import NodeOutcome
from cri_switch.model.window import Window


def estimate(outcomes: Iterable[NodeOutcome], first: float) -> float:
    """Seconds that the next node is expected to take: the longest of this run's, or `first` before there is one."""
    return max((sum(outcome.seconds().values()) for outcome in outcomes), default=first)


def closed(window: Window, now: datetime, seconds: float) -> str:
    """Why what takes `seconds` must not start now, or ""."""
    closes = window.closes_at(now)
    opens = window.next_opening(now)
    after = f"; it opens again at {opens:%Y-%m-%d %H:%M %Z}" if opens else ""
    if closes is None:
        return f"the maintenance window is closed{after}"
    if now + timedelta(seconds=seconds) > closes:
        return f"the maintenance window closes at {closes:%H:%M %Z}, a node takes {seconds:.0f} s{after}"
    return ""


def check_window(
    migration: Migration, outcomes: Iterable[NodeOutcome], left: Iterable[str], *, node: bool = True
) -> None:
    """Raise WindowClosed where nothing further may start; `left` names the nodes that then wait for the next window."""
    window = migration.spec.window
    if window is None:
        return
    why = closed(window, datetime.now(UTC), estimate(outcomes, migration.spec.node_estimate) if node else 0)
    if why:
        waiting = ", ".join(left)
        raise WindowClosed(
            why,
            state=f"left for the next window: {waiting}"
            if waiting
            else "every node is done; Docker's packages are left",
            next_step="run the same migration in the next window: it goes on with these",
        )
