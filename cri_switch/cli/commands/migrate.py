"""`cri-switch migrate`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cri_switch.cli import talk
from cri_switch.cli.engine import prepare
from cri_switch.cli.in_process import planned, show_plan, show_reported
from cri_switch.cli.options import AS_SET, Choosing, Debug, FileOrNone, Output, Yes
from cri_switch.cli.saved_plan import read_plan, refuse_other_settings
from cri_switch.model.errors import UsageError
from cri_switch.model.migration import Migration
from cri_switch.model.settings_file import load_migration


def migrate(
    *,
    file: FileOrNone = None,
    plan: Annotated[Path | None, Parameter(help="Do exactly the plan that plan --out saved.")] = None,
    yes: Yes = False,
    dry_run: Annotated[bool, Parameter(negative=(), help="Execute the same flow and change nothing.")] = False,
    choosing: Choosing = AS_SET,
    output: Output = "table",
    debug: Debug = False,
) -> None:
    """Switch the nodes, in this process. Without --yes: print the plan and change nothing."""
    if plan is not None:
        _as_planned(plan, file, yes, dry_run, choosing, output, debug)
        return
    if file is None:
        raise UsageError("migrate needs --file FILE (-f) or --plan FILE", next_step="cri-switch migrate --help")
    migration = choosing.applied(load_migration(file))
    if dry_run:
        migration = _dry(migration)
    if not yes and not migration.spec.dry_run:
        words = ["-f", file, *choosing.words()]
        command, mended = (
            shlex.join(["cri-switch", *each]) for each in (["migrate", *words, "--yes"], ["preflight", *words])
        )
        show_plan(planned(migration, debug, command, mended), output)
        talk.say("Nothing was changed. Run again with --yes, or save it: plan --out FILE")
        return
    prepare()
    from flows.migrate_cluster import migrate_cluster  # noqa: PLC0415 (Prefect takes seconds to import)

    show_reported(migrate_cluster, migration, output, debug, file=file)


def _as_planned(
    path: Path, file: str | None, yes: bool, dry_run: bool, choosing: Choosing, output: talk.Output, debug: bool
) -> None:
    if choosing != AS_SET:
        raise UsageError(
            "a saved plan has chosen already: --plan goes without flags that choose",
            state="nothing was touched",
            next_step="leave them out, or plan anew with them: cri-switch plan -f FILE --out PLAN",
        )
    saved = read_plan(path)
    if file is not None:
        refuse_other_settings(saved, load_migration(file))
    if not yes and not dry_run:
        show_plan(saved, output)
        talk.say("Nothing was changed. Run again with --yes.")
        return
    if dry_run:
        saved = saved.model_copy(update={"settings": _dry(saved.settings)})
    prepare()
    from flows.migrate_as_planned import migrate_as_planned  # noqa: PLC0415

    show_reported(lambda _settings: migrate_as_planned(saved), saved.settings, output, debug, file=file or "FILE")


def _dry(migration: Migration) -> Migration:
    return migration.model_copy(update={"spec": migration.spec.model_copy(update={"dry_run": True})})
