"""The options that several commands have, each written once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from pydantic import ValidationError

from cri_switch.checks.ignored import unknown_names
from cri_switch.cli import talk
from cri_switch.cli.drain_flags import NO_DRAIN_FLAGS, DrainFlags
from cri_switch.model.errors import UsageError
from cri_switch.model.migration import Migration

FileOrNone = Annotated[str | None, Parameter(name=["--file", "-f"], help="Settings file (YAML).")]
File = Annotated[str, Parameter(name=["--file", "-f"], help="Settings file (YAML).")]
Output = Annotated[talk.Output, Parameter(name=["--output", "-o"], help="What stdout gets.")]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], negative=(), help="Do it. Without it nothing is changed.")]
Debug = Annotated[bool, Parameter(name="--debug", negative=(), help="Show tracebacks.")]


def _flag(name: str | list[str], about: str) -> Parameter:
    return Parameter(name=name, negative=(), help=about)


@Parameter(name="*")
@dataclass(frozen=True)
class Nodes:
    """Which nodes: settings that are flags too; a flag stands before the file."""

    limit: Annotated[list[str] | None, _flag("--limit", "Only these nodes: names or globs, by commas.")] = None
    exclude: Annotated[
        list[str] | None, _flag("--exclude", "Not these nodes either (besides the file's): names or globs, by commas.")
    ] = None
    selector: Annotated[str | None, _flag(["--selector", "-l"], "Only nodes with these labels, as for kubectl.")] = None
    role: Annotated[Literal["control-plane", "worker"] | None, _flag("--role", "Only nodes of this role.")] = None

    def applied(self, migration: Migration) -> Migration:
        """The migration with the flags that were given.

        Raises:
            UsageError: a flag's value is not right, or no finding has such a name.
        """
        given: dict[str, Any] = migration.model_dump(mode="json", exclude_unset=True)
        spec = given["spec"]
        nodes = spec.setdefault("nodes", {})
        excluded = None if self.exclude is None else [*migration.spec.nodes.exclude, *_parts(self.exclude)]
        for section, key, value in (
            (nodes, "limit", None if self.limit is None else _parts(self.limit)),
            (nodes, "exclude", excluded),
            (nodes, "selector", self.selector),
            (nodes, "role", self.role),
            *((spec, key, value) for key, value in self.careful(migration).items()),
        ):
            if value is not None:
                section[key] = value
        try:
            return Migration.model_validate(given)
        except ValidationError as problem:
            raise UsageError("\n".join(_line(dict(each)) for each in problem.errors())) from problem

    def words(self) -> list[str]:
        """The flags as they would be typed again."""
        found = []
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, DrainFlags):
                found += value.words()
            elif value is not None:
                found += [f"--{each.name.replace('_', '-')}", ",".join(value) if isinstance(value, list) else value]
        return found

    def careful(self, migration: Migration) -> dict[str, Any]:  # noqa: ARG002
        """Further settings by name; None is what the file says."""
        return {}


@Parameter(name="*")
@dataclass(frozen=True)
class Choosing(Nodes):
    """And in which batches, how they are drained, and what is let pass."""

    max_unavailable: Annotated[str | None, _flag("--max-unavailable", "Workers out at once: 3 or 20%.")] = None
    ramp: Annotated[str | None, _flag("--ramp", "Sizes of the first batches: 1,5,20%.")] = None
    spread: Annotated[
        str | None, _flag("--spread", "A batch is of one zone, by this label: topology.kubernetes.io/zone.")
    ] = None
    ignore_preflight_errors: Annotated[
        list[str] | None,
        _flag("--ignore-preflight-errors", "Errors to take as warnings: A,B (docs/findings.md), or all."),
    ] = None

    drain: DrainFlags = NO_DRAIN_FLAGS

    def careful(self, migration: Migration) -> dict[str, Any]:
        """Batches, zones, drain, errors.

        Raises: UsageError, a ramp without its bound.
        """
        if self.ramp is not None and not (self.max_unavailable or "max_unavailable" in migration.spec.model_fields_set):
            raise UsageError(
                "--ramp needs --max-unavailable too: no batch is larger, and without it that is 1 worker",
                state="nothing was touched",
                next_step=f"name the most that may be out at once: --ramp {self.ramp} --max-unavailable 20%",
            )
        drain = migration.spec.drain.model_dump(mode="json", exclude_unset=True) | self.drain.given()
        return {
            "drain": drain or None,
            "max_unavailable": _number(self.max_unavailable),
            "ramp": self.ramp,
            "spread": self.spread,
            "ignore_preflight_errors": self._ignored(migration),
        }

    def _ignored(self, migration: Migration) -> list[str] | None:
        if self.ignore_preflight_errors is None:
            return None
        names = _parts(self.ignore_preflight_errors)
        unknown = unknown_names(names)
        if unknown:
            raise UsageError(
                "\n".join(f"--ignore-preflight-errors: {line}" for line in unknown),
                state="nothing was touched",
                next_step="docs/findings.md has all names",
            )
        return [*migration.spec.ignore_preflight_errors, *names]


ALL_NODES = Nodes()
AS_SET = Choosing()
"""No flag was given."""


def _parts(values: list[str] | None) -> list[str]:
    return [part.strip() for value in values or [] for part in value.split(",") if part.strip()]


def _number(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdecimal() else text


def _line(problem: dict[str, Any]) -> str:
    """`--ramp: String should match pattern ...`; a check of the whole has no flag of its own."""
    keys = [key for key in problem["loc"] if key not in ("spec", "nodes", "drain") and isinstance(key, str)]
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"--{keys[0].replace('_', '-')}: {message}" if keys else message
