"""One node, in the article's order."""

from __future__ import annotations

from collections import Counter

from prefect import flow

from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.model.node_outcome import NodeOutcome
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from flows.ended import told
from tasks.docker import stop_docker
from tasks.hold import hold_daemonsets, holding, release_daemonsets
from tasks.kubelet import configure_kubelet, start_kubelet, stop_kubelet
from tasks.lock import in_hand
from tasks.open_attempt import open_attempt
from tasks.proof import verify_node
from tasks.runtime import configure_runtime, install_runtime, start_runtime
from tasks.service import cordon, drain, settle, uncordon
from tasks.step import stands
from tasks.undone import undone_on_failure

_BEGUN: Counter[str] = Counter()


def begun(node: NodeRef) -> int:
    """How often this process has entered the node's flow: an exception before that means that no step has run."""
    return _BEGUN[node.uid]


@flow(name="migrate-node", flow_run_name="{node.name}", persist_result=False)
def migrate_node(node: NodeRef, migration: Migration, plan: Plan) -> NodeOutcome:
    """Switch one node. Its result is never persisted (a Retry would skip nodes); the caller checks the name.

    A step that fails takes the node back to Docker.
    """
    _BEGUN[node.uid] += 1
    with told(lambda: _left(node, migration)):
        attempt: Attempt = open_attempt(node, migration, plan)
        with holding(node), in_hand(node, plan), undone_on_failure(attempt, migration):
            before = cordon(attempt, migration)
            drained = drain(attempt, migration)
            done = [before, drained]
            if migration.spec.hold_daemonsets:
                done.append(hold_daemonsets(attempt, migration))
            done.append(stop_kubelet(attempt, migration, plan))
            done.append(stop_docker(attempt, migration))
            done.append(install_runtime(attempt, migration))
            done.append(configure_runtime(attempt, migration))
            done.append(start_runtime(attempt, migration))
            done.append(configure_kubelet(attempt, migration))
            started = start_kubelet(attempt, migration)
            done.append(started)
            done.append(verify_node(attempt, migration, plan.neighbours(node), before, started))
            if migration.spec.hold_daemonsets:
                done.append(release_daemonsets(attempt, migration))
            done.append(uncordon(attempt, migration))
            done.append(settle(attempt, migration, before, drained))
        return NodeOutcome(attempt=attempt, results=tuple(done))


def _left(node: NodeRef, migration: Migration) -> str:
    """Where the node is, for an error that does not say it."""
    if migration.spec.dry_run:
        return "nothing was touched: it was a dry run"
    at = stands().get(node.name, "")
    return f"{node.name} is left at {at}" if at else f"this run has begun no step of {node.name}"
