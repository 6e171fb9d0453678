"""`cri-switch rollback NODE`."""

from __future__ import annotations

from functools import partial

from cri_switch.cli import talk
from cri_switch.cli.engine import prepare
from cri_switch.cli.in_process import show_reported
from cri_switch.cli.options import Debug, File, Output, Yes
from cri_switch.model.settings_file import load_migration


def rollback(node: str, /, *, file: File, yes: Yes = False, output: Output = "table", debug: Debug = False) -> None:
    """Take one node back to Docker, until Docker's packages are gone: drain, undo, prove, uncordon.

    Without --yes nothing is done.
    """
    migration = load_migration(file)
    if not yes:
        talk.say(f"{node} would be drained, taken back to Docker and uncordoned.")
        talk.say("Nothing was changed. Run again with --yes.")
        return
    prepare()
    from flows.rollback_node import rollback_node  # noqa: PLC0415

    show_reported(partial(rollback_node, node=node), migration, output, debug, file=file)
