"""Before a control-plane node goes out: every other one must be well, asked on each."""

from __future__ import annotations

from prefect import get_run_logger

from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import ControlPlaneNotWell, NotProven
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.model.quorum import leader_last, quorum_problem
from cri_switch.node.action import perform
from cri_switch.node.actions.free_docker import pods_to_stop
from cri_switch.node.before import before_fact
from cri_switch.node.etcd_member import ControlPlaneNode, ask_control_plane
from tasks import reach, stop
from tasks.look import look

Seen = dict[str, ControlPlaneNode]


@look
def next_control_plane(waiting: list[NodeRef], plan: Plan, migration: Migration) -> NodeRef:
    """Which of the waiting nodes goes next: etcd's leader last.

    Stopping the leader last is chosen over `move-leader`: it moves once in the whole run either way, and etcd hands
    its leadership over by itself when it is stopped in peace.

    Raises:
        NotProven: not all are well within timeouts.api, or the quorum would be lost; none was touched.
    """
    names = [node.name for node in waiting]
    seen = _all_well(names, plan, migration)
    order = leader_last(names, {name: each.leads for name, each in seen.items()})
    chosen = next(node for node in waiting if node.name == order[0])
    _refuse_without_quorum(chosen.name, seen, names)
    leader = next((name for name, each in seen.items() if each.leads), "none here")
    healthy = len(seen[chosen.name].voters)
    get_run_logger().info("node=%s goes next; etcd: %d healthy, leader %s", chosen.name, healthy, leader)
    return chosen


@look
def may_go_out(node: NodeRef, plan: Plan, migration: Migration) -> None:
    """Ask once more, right before a control-plane node is begun: an approval may have taken days.

    A half-done node whose etcd is stopped is out already, and nothing is well before it is back. Where its etcd runs
    still, every other node must be well: its own member is what this run stops.

    Raises:
        NotProven: as next_control_plane; the node was not touched.
    """
    _ask_all(node, plan, migration)


def may_still_go_out(node: NodeRef, plan: Plan, migration: Migration) -> None:
    """The same question a last time, right before the node's kubelet is stopped: its drain may have taken an hour.

    Nobody is asked for a worker, and in a dry run.

    Raises:
        NotProven: as next_control_plane; the node is drained, and its etcd runs on.
    """
    if node.role != "control-plane" or migration.spec.dry_run:
        return
    try:
        _ask_all(node, plan, migration)
    except NotProven as problem:
        what = f"{node.name} is drained, but must not go out any more: {problem.what}"
        raise NotProven(what, state="its kubelet runs still", next_step=problem.next_step) from problem


@look
def may_go_back(node: NodeRef, plan: Plan, migration: Migration) -> None:
    """The same question before the way back to Docker, which a person asks for, stops the pods of a healthy node.

    Nobody is asked for a worker, in a dry run, and where nothing is to be lost: the node's etcd is out already, or
    Docker runs it and goes on with it.

    Raises:
        ControlPlaneNotWell: as next_control_plane; nothing was touched.
    """
    _ask_before_back(node, plan, migration, "nothing was touched")


def may_still_go_back(node: NodeRef, plan: Plan, migration: Migration) -> None:
    """The same once the node is drained: that may have taken an hour. Raises ControlPlaneNotWell; its etcd runs on."""
    _ask_before_back(node, plan, migration, "it was drained")


def _ask_before_back(node: NodeRef, plan: Plan, migration: Migration, state: str) -> None:
    if node.role != "control-plane" or migration.spec.dry_run:
        return
    connection = reach.node(node, migration)
    before = before_fact(plan.migration_id).read(connection)
    if not perform(connection, pods_to_stop(before)).summary or ask_control_plane(connection).etcd_stopped:
        return
    try:
        seen = _all_well([node.name], plan, migration, but=node.name)
        _refuse_without_quorum(node.name, seen, [node.name])
    except ControlPlaneNotWell as problem:
        what = f"{node.name} must not go back to Docker now: {problem.what}"
        raise ControlPlaneNotWell(what, state=state, next_step=problem.next_step) from problem


def _ask_all(node: NodeRef, plan: Plan, migration: Migration) -> None:
    resumed = node.name in plan.half_done
    if resumed and ask_control_plane(reach.node(node, migration)).etcd_stopped:
        return
    seen = _all_well([node.name], plan, migration, but=node.name if resumed else "")
    _refuse_without_quorum(node.name, seen, [node.name])


def _all_well(waiting: list[str], plan: Plan, migration: Migration, *, but: str = "") -> Seen:
    """What each control-plane node says, once all are well, `but` one."""
    planes = [n.node for n in plan.nodes if n.node.role == "control-plane"]
    deadline = Deadline.after(migration.spec.timeouts.api)
    while True:
        seen = {node.name: ask_control_plane(reach.node(node, migration)) for node in planes}
        problems = [line for name, each in seen.items() if name != but for line in each.problems]
        problems = problems or _strangers(seen, but)
        if not problems:
            return seen
        if deadline.expired:
            raise _refused("; ".join(problems), waiting)
        get_run_logger().info("the control plane is not well yet: %s", "; ".join(problems))
        stop.sleep(min(2.0, deadline.remaining))


def _refuse_without_quorum(name: str, seen: Seen, waiting: list[str]) -> None:
    here = seen[name]
    lost = quorum_problem(here.member, here.voters, [each.member for each in seen.values()])
    if lost:
        raise _refused(f"{name} must not go out: {lost}", waiting)


def _strangers(seen: Seen, but: str) -> list[str]:
    """Members that run on no node of this cluster, and nodes that do not agree on who there is."""
    members = {each.member for each in seen.values() if each.member}
    voters = {each.voters for each in seen.values() if each.member}
    if len(voters) > 1:
        return ["the members of etcd do not agree on who they are"]
    strange = next(iter(voters), frozenset()) - members
    if but and not seen[but].member and len(strange) == 1:
        return []  # that one's own
    return [f"etcd's member {one:x} runs on no control-plane node" for one in sorted(strange)]


def _refused(what: str, waiting: list[str]) -> ControlPlaneNotWell:
    return ControlPlaneNotWell(
        what,
        state=f"not started: {', '.join(waiting)}",
        next_step="bring etcd and the API servers to health (etcdctl endpoint health --cluster), then run again",
    )
