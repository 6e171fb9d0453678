"""Docker's data on one node: look, and delete by an administrator's word."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Generator
from typing import Any

from prefect.runtime import flow_run

from cri_switch.cluster.cluster_name import cluster_name
from cri_switch.model.cleanup import CleanedNode
from cri_switch.model.errors import CriSwitchError
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.action import Part, perform
from cri_switch.node.actions.delete_docker_data import delete_docker_data
from cri_switch.node.docker_data import DockerData, docker_data
from cri_switch.node.facts.room import room
from cri_switch.node.journal import Entry, append
from tasks import reach
from tasks.look import look
from tasks.story import tell


@look
def named(migration: Migration) -> str:
    """The cluster's name, which has to be typed."""
    return cluster_name(migration.spec.cluster)


@look
def look_at_docker_data(node: NodeRef, migration: Migration) -> CleanedNode:
    """What a cleanup would delete there, or why it would not; that the node cannot be asked is a refusal too."""
    try:
        data = _data(node, migration)
    except CriSwitchError as problem:
        return CleanedNode(name=node.name, outcome="refused", reason=problem.what)
    if not data.exists:
        return CleanedNode(name=node.name, path=data.root, outcome="gone", reason="there are none")
    if data.refusals:
        return CleanedNode(name=node.name, path=data.root, outcome="refused", reason="; ".join(data.refusals))
    return CleanedNode(name=node.name, path=data.root, outcome="to-delete")


@look
def delete_data(node: NodeRef, migration: Migration, migration_id: str, path: str) -> CleanedNode:
    """Delete them, note it in the node's journal, tell it as an event. Raises CriSwitchError."""
    connection, parent = reach.node(node, migration), posixpath.dirname(path)
    before = room(parent).read(connection).get(parent)
    done = reach.act(node, migration, delete_docker_data(node.name))
    after = room(parent).read(connection).get(parent)
    if not migration.spec.dry_run:
        run = str(flow_run.get_id() or "")
        append(connection, migration_id, Entry(time.time(), run, 0, "cleanup", "done", done.summary))
    tell(node, migration, "DockerDataDeleted", done.summary)
    freed = max(0, after.free - before.free) if before and after and before.mount == after.mount else None
    return CleanedNode(name=node.name, path=path, outcome="deleted" if done.changed else "gone", freed=freed)


def _data(node: NodeRef, migration: Migration) -> DockerData:
    found: list[DockerData] = []

    def ask() -> Generator[Part, Any, str]:
        found.append((yield from docker_data()))
        return ""

    perform(reach.node(node, migration), ask())
    return found[0]
