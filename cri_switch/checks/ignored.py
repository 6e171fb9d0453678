"""Errors that the administrator has looked at and takes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cri_switch.model.finding import Finding


def ignore(findings: Iterable[Finding], names: Sequence[str]) -> list[Finding]:
    """The findings with the errors of these names as warnings; case does not matter, `all` is every name."""
    wanted = {name.strip().lower() for name in names}
    return [
        replace(each, level="warning") if each.level == "error" and wanted & {each.name.lower(), "all"} else each
        for each in findings
    ]
