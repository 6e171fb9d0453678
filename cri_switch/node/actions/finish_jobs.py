"""Jobs that a killed run left on the node: awaited and forgotten before a step looks at what they change."""

from __future__ import annotations

import re

from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Until, read
from cri_switch.node.command import plain, sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.units import Unit, units
from cri_switch.node.job import running

JOBS: Fact[tuple[str, ...]] = Fact(
    "jobs of ours",
    plain("systemctl", "list-units", "--all", "--full", "--no-legend", "--no-pager", "cri-switch-*.service"),
    lambda result: tuple(re.findall(r"^\W*(cri-switch-\S+\.service)\s", result.stdout, re.M)),
)
"""Of every attempt. A unit that failed has a dot before its name."""


def finish_jobs(migration: Migration) -> Action:
    """Wait until none runs, so that no two package managers or image copies ever work side by side; forget them all.

    What a job came to is seen by its effect: the step that wanted it looks, and does what is missing.

    Raises: RemoteTimeout when one still runs; it is left alone.
    """
    names = yield from read(JOBS)
    if not names:
        return "no job of before"
    timeouts = migration.spec.timeouts
    ended: dict[str, Unit] | None = yield Until(
        units(*names),
        lambda now: not any(running(unit) for unit in now.values()),
        f"the end of what an earlier run left at work ({', '.join(names)})",
        seconds=max(timeouts.packages, timeouts.images),
        next_step=f"look at it: journalctl -u {names[0]}; it was left running, and the same run again waits for it",
    )
    for name, unit in (ended or {}).items():
        if unit.active_state == "failed":
            yield Do(sudo("systemctl", "reset-failed", name), "forget a job of an earlier run, which failed")
        elif unit.active:
            yield Do(sudo("systemctl", "stop", name), "forget a job of an earlier run, which has ended")
    return f"{len(names)} jobs of an earlier run had ended"
