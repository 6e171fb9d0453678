"""The file of `plan --out`: the plan as JSON, for its owner only."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from cri_switch.model.errors import Moved, SettingsError
from cri_switch.model.migration import Migration
from cri_switch.model.planned_run import PlannedRun, differing
from cri_switch.model.private_file import write_private


def save_plan(plan: PlannedRun, path: Path) -> None:
    """Write it whole, mode 0600. Raises SettingsError."""
    try:
        write_private(path, plan.model_dump_json(indent=2) + "\n")
    except OSError as problem:
        raise SettingsError(f"cannot save the plan in {path}: {problem.strerror or problem}") from problem


def read_plan(path: Path) -> PlannedRun:
    """The plan of a file.

    Raises:
        SettingsError: it cannot be read, or is no plan of this version.
    """
    try:
        return PlannedRun.model_validate_json(path.read_bytes())
    except OSError as problem:
        raise _refused(f"cannot read the plan {path}: {problem.strerror or problem}") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(key) for key in first["loc"])
        raise _refused(f"{path} is no plan of this version: {where}: {first['msg']}".replace(": :", ":")) from problem


def refuse_other_settings(plan: PlannedRun, migration: Migration) -> None:
    """Raise Moved where the settings file is not what the plan was made with."""
    lines = differing(plan.settings.model_dump(), migration.model_dump())
    if lines:
        raise Moved(
            "\n".join(["the settings are not those of the plan:", *lines]),
            state="nothing was touched",
            next_step="plan again, or leave -f out: a saved plan has its settings in it",
        )


def _refused(what: str) -> SettingsError:
    return SettingsError(what, state="nothing was touched", next_step="cri-switch plan -f FILE --out PLAN")
