"""The options that several commands have, each written once."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from cri_switch.cli import talk
from cri_switch.model.migration import Migration

File = Annotated[str, Parameter(name=["--file", "-f"], help="Settings file (YAML).")]
Output = Annotated[talk.Output, Parameter(name=["--output", "-o"], help="What stdout gets.")]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], negative=(), help="Do it. Without it only the plan is printed.")]
Ignore = Annotated[
    str | None,
    Parameter(name="--ignore-preflight-errors", help="Errors to take as warnings: A,B (docs/findings.md), or all."),
]
Debug = Annotated[bool, Parameter(name="--debug", negative=(), help="Show tracebacks.")]


def ignoring(migration: Migration, names: str | None) -> Migration:
    """The migration with these errors ignored too; `names` is what --ignore-preflight-errors was given."""
    given = [name.strip() for name in (names or "").split(",") if name.strip()]
    if not given:
        return migration
    ignored = [*migration.spec.ignore_preflight_errors, *given]
    return migration.model_copy(update={"spec": migration.spec.model_copy(update={"ignore_preflight_errors": ignored})})
