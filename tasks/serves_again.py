"""Docker runs the node's pods again, and the API has seen it."""

from __future__ import annotations

from cri_switch.cluster.node_pods import wait_node_pods
from cri_switch.model.errors import RemoteTimeout
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.before import Before
from cri_switch.node.facts.docker import DOCKER_RUNNING
from tasks import reach, stop
from tasks.followed import followed
from tasks.hold import release
from tasks.pressure import outlast_pressure
from tasks.reported import reported


def serves_again(node: NodeRef, migration: Migration, before: Before) -> tuple[str, str]:
    """The runtime with which the node reports Ready, and a line about its pods, once both are so.

    Raises: RemoteTimeout, NotProven, Unreachable, Stopped.
    """
    with followed(node, migration):
        seen = reported(node, migration, runtime="docker")
        release(node, migration, runtime="docker")
        try:
            pods = _own_pods(node, migration, before)
        except RemoteTimeout as late:
            outlast_pressure(node, migration, late)
            pods = _own_pods(node, migration, before)
    return seen, pods


def _own_pods(node: NodeRef, migration: Migration, before: Before) -> str:
    return wait_node_pods(
        reach.cluster(migration),
        node,
        runtime="docker",
        expected=before.cluster.get("own_pods", ()),
        alive=lambda: DOCKER_RUNNING.read(reach.node(node, migration)),
        seconds=migration.spec.timeouts.pods_ready,
        stop=stop.stopping,
        sleep=stop.sleep,
    )
