"""Before the next control-plane node: every other one must be well, asked on each."""

from __future__ import annotations

from prefect import get_run_logger

from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import NotProven
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.model.quorum import leader_last, quorum_problem
from cri_switch.node.etcd_member import ControlPlaneNode, ask_control_plane
from tasks import reach, stop
from tasks.look import look


@look
def next_control_plane(waiting: list[NodeRef], plan: Plan, migration: Migration) -> NodeRef:
    """Which of the waiting nodes goes next: etcd's leader last, what an earlier run left half done first.

    Stopping the leader last is chosen over `move-leader`: it moves once in the whole run either way, and etcd hands
    its leadership over by itself when it is stopped in peace.

    Raises:
        NotProven: not all are well within timeouts.api, or the quorum would be lost; none was touched.
    """
    half_done = {n.node.name for n in plan.nodes if n.action == "resume"}
    resumed = [node for node in waiting if node.name in half_done]
    if resumed:
        return resumed[0]  # it is out already: nothing is well before it is back
    planes = [n.node for n in plan.nodes if n.node.role == "control-plane"]
    deadline = Deadline.after(migration.spec.timeouts.api)
    while True:
        seen = {node.name: ask_control_plane(reach.node(node, migration)) for node in planes}
        problems = [line for each in seen.values() for line in each.problems]
        problems += _strangers(seen)
        if not problems:
            break
        if deadline.expired:
            raise _refused("; ".join(problems), [node.name for node in waiting])
        get_run_logger().info("the control plane is not well yet: %s", "; ".join(problems))
        stop.sleep(min(2.0, deadline.remaining))
    order = leader_last([node.name for node in waiting], {name: each.leads for name, each in seen.items()})
    chosen = next(node for node in waiting if node.name == order[0])
    here = seen[chosen.name]
    lost = quorum_problem(here.member, here.voters, [each.member for each in seen.values()])
    if lost:
        raise _refused(f"{chosen.name} must not go out: {lost}", [node.name for node in waiting])
    leader = next((name for name, each in seen.items() if each.leads), "none here")
    get_run_logger().info("node=%s goes next; etcd: %d healthy, leader %s", chosen.name, len(here.voters), leader)
    return chosen


def _strangers(seen: dict[str, ControlPlaneNode]) -> list[str]:
    """Members that run on no node of this cluster, and nodes that do not agree on who there is."""
    members = {each.member for each in seen.values() if each.member}
    voters = {each.voters for each in seen.values() if each.member}
    if len(voters) > 1:
        return ["the members of etcd do not agree on who they are"]
    strange = next(iter(voters), frozenset()) - members
    return [f"etcd's member {one:x} runs on no control-plane node" for one in sorted(strange)]


def _refused(what: str, waiting: list[str]) -> NotProven:
    return NotProven(
        what,
        state=f"not started: {', '.join(waiting)}",
        next_step="bring etcd and the API servers to health (etcdctl endpoint health --cluster), then run again",
    )
