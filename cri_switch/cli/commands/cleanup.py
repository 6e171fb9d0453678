"""`cri-switch cleanup`."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated

from cyclopts import Parameter

from cri_switch.cli import talk
from cri_switch.cli.engine import prepare
from cri_switch.cli.in_process import run_flow
from cri_switch.cli.options import ALL_NODES, Debug, File, Nodes, Output, Yes
from cri_switch.cli.tables import table
from cri_switch.model.cleanup import Cleanup
from cri_switch.model.errors import CriSwitchError, UsageError
from cri_switch.model.migration import Migration
from cri_switch.model.settings_file import load_migration

HEAD = ("NODE", "PATH", "OUTCOME", "FREED", "REASON")


def cleanup(
    *,
    file: File,
    yes: Yes = False,
    confirm_cluster: Annotated[str | None, Parameter(help="The cluster's name, with --yes: nobody is asked.")] = None,
    nodes: Nodes = ALL_NODES,
    output: Output = "table",
    debug: Debug = False,
) -> None:
    """Delete Docker's data on the nodes that are switched, for good."""
    if yes and confirm_cluster is None:
        raise UsageError("--yes needs the cluster's name too: --confirm-cluster NAME", state="nothing was deleted")
    migration = nodes.applied(load_migration(file))
    prepare()
    if yes:
        _show(_run(migration, confirm_cluster or "", output, debug), output)
        return
    found = _run(migration, "", output, debug)
    if not (found.todo and sys.stdin.isatty() and sys.stderr.isatty() and output == "table"):
        _show(found, output)
        if found.todo:
            talk.say(f"Nothing was deleted. Run again with --yes --confirm-cluster {found.cluster}")
        return
    talk.say(_text(found))
    talk.say(f"This deletes Docker's images, containers and volumes on {_counted(len(found.todo))}, for good.", "bold")
    talk.say("Type the cluster's name to go on: ")
    if sys.stdin.readline().strip() != found.cluster:
        talk.say("That is not its name. Nothing was deleted.")
        return
    _show(_run(migration, found.cluster, output, debug), output)


def _counted(nodes: int) -> str:
    return "1 node" if nodes == 1 else f"{nodes} nodes"


def _run(migration: Migration, confirm: str, output: talk.Output, debug: bool) -> Cleanup:
    from flows.cleanup_cluster import cleanup_cluster  # noqa: PLC0415 (Prefect takes seconds to import)

    try:
        return run_flow(partial(cleanup_cluster, confirm_cluster=confirm), migration, Cleanup, debug)
    except CriSwitchError as problem:
        if isinstance(problem.report, Cleanup):
            _show(problem.report, output)
        raise


def _show(found: Cleanup, output: talk.Output) -> None:
    talk.show(found, _text(found), output)


def _text(found: Cleanup) -> str:
    rows = (
        [row.name, row.path, row.outcome, "" if row.freed is None else f"{row.freed / 1e6:.0f}MB", row.reason]
        for row in found.nodes
    )
    return table(HEAD, rows)
