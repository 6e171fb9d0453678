"""What the API says of the cluster; where a killed run took the only API away, that is brought back first."""

from __future__ import annotations

from cri_switch.model.errors import Unreachable
from cri_switch.model.migration import Migration
from tasks.discover import Discovery, discover
from tasks.rescue import rescue


def discovered(migration: Migration, rolled_back: str = "") -> Discovery:
    """`discover`; `rolled_back` is the node whose rollback a person asked for.

    Raises: Unreachable where the API is away for another reason, or the run that took it away may be alive.
    """
    try:
        return discover(migration)
    except Unreachable:
        if migration.spec.dry_run or not rescue(migration, rolled_back):
            raise
        return discover(migration)
