"""A control-plane node goes back to Docker only while the others can spare its etcd."""

from __future__ import annotations

from prefect import get_run_logger

from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import ControlPlaneNotWell
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.action import perform
from cri_switch.node.actions.free_docker import pods_to_stop
from cri_switch.node.before import Before
from cri_switch.node.etcd_member import lost_without
from tasks import reach, stop


def refuse_unless_spared(node: NodeRef, migration: Migration, before: Before) -> None:
    """Right before the way back stops the node's pods, also where no person asked for it: a failed node never leads
    to a second one out.

    Only the quorum counts, for timeouts.api: a node that failed is better off on Docker, whatever else is not well.
    Its own etcd is asked, so that neither the API nor the other nodes' ssh is needed.

    Raises:
        ControlPlaneNotWell: one member more would be too many; nothing was stopped.
        Stopped: asked to stop in the wait.
    """
    connection = reach.node(node, migration)
    if node.role != "control-plane" or not perform(connection, pods_to_stop(before)).summary:
        return
    deadline = Deadline.after(migration.spec.timeouts.api)
    while lost := lost_without(connection):
        if deadline.expired:
            raise ControlPlaneNotWell(
                f"{node.name} must not go back to Docker now: {lost}",
                state=f"nothing was stopped on the way back, etcd on {node.name} runs",
                next_step="bring the other members of etcd to health (etcdctl endpoint health --cluster)",
            )
        get_run_logger().info("node=%s the way back waits: %s", node.name, lost)
        stop.sleep(min(2.0, deadline.remaining))
