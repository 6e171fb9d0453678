"""Free the cluster's Lease by a person's word."""

from __future__ import annotations

from cri_switch.cli import talk
from cri_switch.cluster.client import Cluster
from cri_switch.cluster.lease_holder import NAME, NAMESPACE, holder
from cri_switch.cluster.lease_holder import unlock as free
from cri_switch.model.errors import ApiError, LockHeld
from cri_switch.model.migration import Migration


def unlock(migration: Migration, *, yes: bool) -> None:
    """Show who holds the Lease; with `yes` free it.

    Raises:
        LockHeld: it is renewed while we look, so its run is alive.
        ApiError, Unreachable
    """
    api = Cluster.open(migration.spec.cluster)
    seen = holder(api)
    if seen is None or not seen.identity:
        talk.say(f"Lease {NAMESPACE}/{NAME} is free.")
        return
    talk.say(f"Lease {NAMESPACE}/{NAME} is held by {seen}")
    if not yes:
        talk.say("Nothing was changed. If that run is dead for certain, run again with --yes.")
        return
    try:
        free(api, seen)
    except ApiError as problem:
        if problem.status != 409:
            raise
        raise LockHeld(
            f"Lease {NAMESPACE}/{NAME} was renewed just now: its run is alive",
            state="the Lease is as it was",
            next_step="end that run first (prefect flow-run cancel, Ctrl-C)",
        ) from problem
    talk.say("Freed. A run that still lives stops at its next renewal.")
