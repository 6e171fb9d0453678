"""`cri-switch unlock`."""

from __future__ import annotations

from cri_switch.cli.options import Debug, File, Yes
from cri_switch.cli.unlock import unlock as free_lease
from cri_switch.model.settings_file import load_migration


def unlock(*, file: File, yes: Yes = False, debug: Debug = False) -> None:  # noqa: ARG001 (`main` looks at it)
    """Show who holds the cluster's Lease; with --yes free it. For a run that is dead for certain."""
    free_lease(load_migration(file), yes=yes)
