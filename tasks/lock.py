"""The cluster's Lease around everything that a run changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger
from prefect.runtime import flow_run

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.lease import Lease
from cri_switch.cluster.lease_holder import NAME, NAMESPACE
from cri_switch.cluster.lease_keeper import Keeper
from cri_switch.model.errors import ApiError, LockHeld, Unreachable
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from tasks import stop

_IN_HAND: set[str] = set()


@contextmanager
def locked(migration: Migration, migration_id: str) -> Iterator[None]:
    """Hold the Lease, renewed by a thread; losing it asks the run to stop. A dry run takes none.

    Raises:
        LockHeld: somebody else holds it; nothing was touched.
    """
    if migration.spec.dry_run:
        yield
        return
    logger = get_run_logger()
    run = str(flow_run.get_id() or f"process-{os.getpid()}")
    cluster = Cluster.open(migration.spec.cluster)
    lease = Lease(cluster, migration_id, run, sleep=stop.sleep, api_in_hand=lambda: bool(_IN_HAND))
    logger.info(lease.take())

    def lost(why: str) -> None:
        logger.error("%s: no further step is started", why)
        stop.ask_to_stop(
            LockHeld(
                why,
                state="what was begun is left for the run that holds the Lease, or for the next one",
                next_step=f"kubectl -n {NAMESPACE} get lease {NAME} -o yaml; then the same command again",
            )
        )

    keeper = Keeper(lease, lost)
    keeper.start()
    try:
        yield
    finally:
        if stop.stopping():  # who stopped it waits for the end
            lease.cluster = lease.cluster.impatient()
        keeper.stop(1.0 if stop.stopping() else 5.0)
        try:
            lease.release()
        except (ApiError, Unreachable) as problem:
            logger.warning("the Lease could not be freed, the next run of this migration waits: %s", problem.what)


@contextmanager
def in_hand(node: NodeRef, plan: Plan) -> Iterator[None]:
    """The only control-plane node is worked on: that its API is silent, for however long, does not lose the Lease.

    Else a node whose API does not come back would be left to a next run, and a slow way back be cut short.
    """
    only = [each.node for each in plan.nodes if each.node.role == "control-plane"] == [node]
    if only:
        _IN_HAND.add(node.uid)
    try:
        yield
    finally:
        _IN_HAND.discard(node.uid)
