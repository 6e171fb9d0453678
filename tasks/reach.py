"""How tasks reach the API and the nodes: opened inside, never passed as parameters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger

from cri_switch.cluster.client import Cluster
from cri_switch.model.errors import NotProven
from cri_switch.model.migration import Migration, Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.action import Action, Performed, perform
from cri_switch.node.command import Result
from cri_switch.node.pool import ConnectionPool
from cri_switch.node.ssh import SshConnection
from cri_switch.node.transfer import Download, Transfer
from tasks import stop


def _open(ref: NodeRef, ssh: Ssh) -> Transfer:
    """By spec.ssh.transport. Raises what opening it raises; `memory` raises SettingsError for a real node."""
    if ssh.transport == "ssh":
        return SshConnection.open(ref, ssh)
    from cri_switch.rehearsal.connection import simulated  # noqa: PLC0415 (no part of a real run)

    return simulated(ref.name, ref.uid, Result, Download)


_POOL = ConnectionPool(_open)
_LOCAL = threading.local()


def cluster(migration: Migration) -> Cluster:
    """The API of the migration's cluster; a run that was asked to stop does not wait until it is back."""
    api = _client(migration)
    return api.impatient() if stop.stopping() else api


def _client(migration: Migration) -> Cluster:
    """One a thread."""
    access = migration.spec.cluster
    clients: dict[str, Cluster] = _LOCAL.__dict__.setdefault("clients", {})
    key = f"{access.model_dump_json()} {migration.spec.dry_run}"
    if key not in clients:
        clients[key] = Cluster.open(access, dry_run=migration.spec.dry_run)
    return clients[key]


def node(ref: NodeRef, migration: Migration) -> Transfer:
    """The connection to a node, one for the process."""
    return _POOL.get(ref, migration.spec.ssh)


def leave(ref: NodeRef) -> None:
    """Forget the connection to a node, where it was lost or the node was rebooted."""
    _POOL.drop(ref)


def act(ref: NodeRef, migration: Migration, action: Action, *, dry_run: bool = False) -> Performed:
    """Perform an action on a node; every line that changes something goes to the run's log.

    In a dry run an action may meet a state that only an earlier step would have made: that is said, it is no failure.
    """
    logger = get_run_logger()
    dry = migration.spec.dry_run
    try:
        return perform(
            node(ref, migration),
            action,
            dry_run=dry_run or dry,
            say=lambda line: logger.info("node=%s %s%s", ref.name, line, " (dry run)" if dry else ""),
            sleep=stop.sleep,
        )
    except NotProven as problem:
        if not dry:
            raise
        return Performed(f"to be seen when the steps before have run: {problem.what}")


def close_all() -> None:
    """End every connection of the process; a later call opens a new one."""
    _POOL.close_all()


@contextmanager
def all_closed() -> Iterator[None]:
    """End every connection of the process when the run ends."""
    try:
        yield
    finally:
        _POOL.close_all()
