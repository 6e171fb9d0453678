"""Errors that the administrator has looked at and takes on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cri_switch.checks.catalogue import NAMES
from cri_switch.model.finding import Finding

NEVER = frozenset({"OrchestratorOnNode", "OrchestratorInCluster"})
"""A run that drains the machine below itself ends in the middle, and nobody is left to take the node back."""


def ignore(findings: Iterable[Finding], names: Sequence[str]) -> list[Finding]:
    """The findings with the errors of these names as warnings, NEVER's excepted; `all` is every name, in any case."""
    wanted = {name.strip().lower() for name in names}

    def chosen(each: Finding) -> bool:
        return each.level == "error" and each.name not in NEVER and bool(wanted & {each.name.lower(), "all"})

    return [replace(each, level="warning") if chosen(each) else each for each in findings]


def unknown_names(names: Sequence[str]) -> list[str]:
    """A line for each name that no finding has, with those that are near it."""
    known = {name.lower(): name for name in [*NAMES, "all"]}
    lines = []
    for name in names:
        if name.strip().lower() in known:
            continue
        close = [known[each] for each in difflib.get_close_matches(name.strip().lower(), known, cutoff=0.5)]
        lines.append(f"no finding is called {name}" + (f"; near it: {', '.join(close)}" if close else ""))
    return lines


def check_ignored(names: Sequence[str]) -> list[Finding]:
    """An error for each name in `ignore_preflight_errors` that no finding has: what was meant would not be ignored."""
    return [
        Finding("error", "UnknownFinding", f"ignore_preflight_errors: {line}", remedy="docs/findings.md has all names")
        for line in unknown_names(names)
    ]
