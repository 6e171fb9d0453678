"""`cri-switch migrate`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from cri_switch.cli import talk
from cri_switch.cli.engine import prepare
from cri_switch.cli.in_process import show_plan, show_reported
from cri_switch.cli.options import AS_SET, Choosing, Debug, File, Output, Yes
from cri_switch.model.settings_file import load_migration


def migrate(
    *,
    file: File,
    yes: Yes = False,
    dry_run: Annotated[bool, Parameter(negative=(), help="Execute the same flow and change nothing.")] = False,
    choosing: Choosing = AS_SET,
    output: Output = "table",
    debug: Debug = False,
) -> None:
    """Switch the nodes, in this process. Without --yes: print the plan and change nothing."""
    migration = choosing.applied(load_migration(file))
    if dry_run:
        migration = migration.model_copy(update={"spec": migration.spec.model_copy(update={"dry_run": True})})
    if not yes and not migration.spec.dry_run:
        show_plan(migration, output, debug)
        talk.say("Nothing was changed. Run again with --yes.")
        return
    prepare()
    from flows.migrate_cluster import migrate_cluster  # noqa: PLC0415 (Prefect takes seconds to import)

    show_reported(migrate_cluster, migration, output, debug, file=file)
