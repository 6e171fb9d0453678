"""Critical DaemonSets: off a node from before its kubelet stops until the node is proven."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.hold import held_node, hold, put_back_all, unlabel, wait_back, wait_off
from cri_switch.cluster.inventory import node_ref, same_node
from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.node.journal import journal_fact
from tasks import reach, stop
from tasks.look import look
from tasks.step import Outcome, step, uncached_step

_GUARD = threading.Lock()
_OFF: set[str] = set()
"""UIDs of this process's nodes whose held pods must stay off: until there is none, no DaemonSet is put back."""
_RELEASING: set[str] = set()
"""UIDs of those between the DaemonSets put back and their own label gone: until there is none, none is held anew.

They have the label still: a hold would take the pods away that they wait for. Each is in it as long as its own wait.
"""


@contextmanager
def holding(node: NodeRef) -> Iterator[None]:
    """Whatever becomes of the node's flow, the others do not wait for it after its end."""
    try:
        yield
    finally:
        with _GUARD:
            _OFF.discard(node.uid)
            _RELEASING.discard(node.uid)


@uncached_step
def hold_daemonsets(attempt: Attempt, migration: Migration) -> Outcome:
    """The pods of `spec.hold_daemonsets` off the node; never cached, because others may change a DaemonSet too."""
    names, api = migration.spec.hold_daemonsets, reach.cluster(migration)
    entries = journal_fact(attempt.migration_id).read(reach.node(attempt.node, migration))
    mine = [each for each in entries if each.attempt == attempt.number and each.step == "release_daemonsets"]
    if any(each.event in ("done", "noop") for each in mine):
        return Outcome("held and released before")
    changed = _hold_in_turn(api, attempt, names)
    if migration.spec.dry_run:
        return Outcome(f"would be held: {', '.join(names)}")
    pace = {"stop": stop.stopping, "sleep": stop.sleep}
    took = wait_off(api, attempt.node, names, seconds=migration.spec.timeouts.pods_ready, **pace)  # type: ignore[arg-type]
    return Outcome(f"{', '.join(names)} off the node after {took:.0f} s", changed=1 + len(changed))


def _hold_in_turn(api: Cluster, attempt: Attempt, names: list[str]) -> list[str]:
    """Raises Stopped, ApiError, Unreachable."""
    said = False
    while True:
        with _GUARD:
            if not _RELEASING:
                _OFF.add(attempt.node.uid)
                return hold(api, attempt.node, names, attempt.migration_id)
        if not said:
            get_run_logger().info("node=%s waits for the nodes that DaemonSets come back to", attempt.node.name)
            said = True
        stop.sleep(0.5)


@step
def release_daemonsets(attempt: Attempt, migration: Migration) -> Outcome:
    """The DaemonSets as they were, their pods on the node run on the new runtime."""
    runtime = migration.spec.target.runtime
    line = release(attempt.node, migration, runtime=runtime)
    return Outcome(line or "no DaemonSet was held", changed=1 if line else 0)


def release(node: NodeRef, migration: Migration, *, runtime: str) -> str:
    """Put back what is held and wait for the node's pods on `runtime`; empty where the node is not held.

    While other nodes of the batch are held the DaemonSets stay changed, and a pod that started by the changed template
    would be restarted by RollingUpdate afterwards: so this node waits, cordoned, and all are released together.

    Raises RemoteTimeout, Stopped, ApiError, Unreachable.
    """
    api = reach.cluster(migration)
    with _GUARD:
        _OFF.discard(node.uid)
    if migration.spec.dry_run or not held_node(same_node(api, node)):
        return ""
    said = False
    while True:
        with _GUARD:
            if not _OFF:
                _RELEASING.add(node.uid)
                break
        if not said:
            get_run_logger().info("node=%s waits for the other nodes that DaemonSets are held off", node.name)
            said = True
        stop.sleep(0.5)
    try:
        with _GUARD:
            done = put_back_all(api)
        seconds = migration.spec.timeouts.pods_ready
        pods = wait_back(api, node, runtime=runtime, seconds=seconds, stop=stop.stopping, sleep=stop.sleep)
        unlabel(api, node)
    finally:
        with _GUARD:
            _RELEASING.discard(node.uid)
    return f"{', '.join(done) or 'DaemonSets'} put back; {pods}"


@look
def mend_holds(plan: Plan, migration: Migration) -> None:
    """What a run that was killed left held and this one will not come to: put back before anything else."""
    if migration.spec.dry_run:
        return
    api = reach.cluster(migration)
    if migration.spec.hold_daemonsets and any(name in plan.half_done for name in _labelled(api)):
        return  # the node's own flow goes on with it
    _end(api)


@look
def end_holds(migration: Migration) -> None:
    """Nothing is held any more, whatever the run came to; but a node that a stop left half done keeps its hold."""
    if migration.spec.dry_run:
        return
    api = reach.cluster(migration)
    left = _labelled(api)
    if left and stop.stopping():
        held = "DaemonSets stay held off %s, left half done: the next run goes on, or cri-switch rollback NODE"
        get_run_logger().warning(held, ", ".join(left))
        return
    _end(api)


def _labelled(api: Cluster) -> list[str]:
    return [node["metadata"]["name"] for node in api.list("Node") if held_node(node)]


def _end(api: Cluster) -> None:
    with _GUARD:
        done = put_back_all(api)
    if done:
        get_run_logger().warning("put back as before: %s", ", ".join(f"DaemonSet {each}" for each in done))
    for node in api.list("Node"):
        if held_node(node):
            unlabel(api, node_ref(node))
