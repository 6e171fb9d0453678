"""Docker's data off the nodes that a migration has switched, by an administrator's word only."""

from __future__ import annotations

from prefect import flow, get_run_logger

from cri_switch.model.cleanup import CleanedNode, Cleanup
from cri_switch.model.errors import CriSwitchError, NodeFailed, PreflightError, Stopped, UsageError
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import chosen
from flows.ended import CANCELS, told
from flows.side_by_side import side_by_side
from tasks import reach, stop
from tasks.cleanup import delete_data, look_at_docker_data, named
from tasks.discover import Discovery, discover
from tasks.lock import locked
from tasks.off_nodes import refuse_on_a_node

_LOOKS, _DELETIONS = 16, 4


@flow(name="cleanup-cluster", flow_run_name="{migration.metadata.name}", persist_result=False)
def cleanup_cluster(migration: Migration, confirm_cluster: str = "") -> Cleanup:
    """Look at every chosen node that runs the target; with the cluster's name as `confirm_cluster` delete there.

    Raises:
        UsageError: that is not the cluster's name.
        PreflightError: a volume or a container that is not Kubernetes', or something else, stands in the way on a
            node; nothing was deleted on any. The answer is its `report`. Without one: this process runs on a node.
        NodeFailed: it could not be deleted everywhere.
    """
    stop.begin()
    with told(lambda: "nothing was deleted on any node"), stop.listening(), reach.all_closed():
        try:
            return _cleanup(migration, confirm_cluster)
        except CANCELS:
            stop.heard()
            raise Stopped(
                "the cleanup was cancelled",
                state="what was deleted by then is gone; the nodes themselves serve as before",
                next_step="the same command again: it goes on",
            ) from None


def _cleanup(migration: Migration, confirm: str) -> Cleanup:
    name = named(migration)
    if confirm not in ("", name):
        raise UsageError(
            f"the cluster is called {name!r}, not {confirm!r}",
            state="nothing was deleted",
            next_step="kubectl config view --minify shows the name",
        )
    found = discover(migration)
    refuse_on_a_node(migration)
    rows = {node.name: _why_not(node, migration, found) for node in found.nodes}
    nodes = [node for node in found.nodes if rows[node.name] is None]
    for node, answer in side_by_side(lambda node: look_at_docker_data(node, migration), nodes, at_once=_LOOKS):
        if isinstance(answer, Exception):
            raise answer
        rows[node.name] = answer
    looked = Cleanup(cluster=name, nodes=tuple(row for row in rows.values() if row is not None))
    if looked.refused:
        problem = PreflightError(
            "\n".join(f"{row.name}: {row.reason}" for row in looked.refused),
            state="nothing was deleted on any node",
            next_step="see to what is named, or leave the node out: --exclude NODE",
        )
        problem.report = looked
        raise problem
    return _delete(migration, looked, found) if confirm and looked.todo else looked


def _why_not(node: NodeRef, migration: Migration, found: Discovery) -> CleanedNode | None:
    reason = ""
    if not chosen(node, migration.spec, selected=node.name in found.selected):
        reason = "not chosen"
    elif not node.runtime.startswith(f"{migration.spec.target.runtime}://"):
        reason = f"is on {node.runtime}"
    elif node.name in found.half_done:
        reason = "a migration has not finished it"
    return CleanedNode(name=node.name, outcome="left-alone", reason=reason) if reason else None


def _delete(migration: Migration, looked: Cleanup, found: Discovery) -> Cleanup:
    paths = {row.name: row.path for row in looked.todo}
    nodes = [node for node in found.nodes if node.name in paths]
    rows = {row.name: row for row in looked.nodes}

    def one(node: NodeRef) -> CleanedNode:
        stop.check(f"cleanup of {node.name}")
        return delete_data(node, migration, found.migration_id, paths[node.name])

    with locked(migration, found.migration_id):
        for node, answer in side_by_side(one, nodes, at_once=_DELETIONS):
            if isinstance(answer, CriSwitchError):
                rows[node.name] = CleanedNode(
                    name=node.name, path=paths[node.name], outcome="failed", reason=answer.what
                )
            elif isinstance(answer, Exception):
                raise answer
            else:
                rows[node.name] = answer
                get_run_logger().info("node=%s deleted %s", node.name, answer.path)
    done = looked.model_copy(update={"nodes": tuple(rows.values())})
    if done.refused:
        problem = NodeFailed(
            "\n".join(f"{row.name}: {row.reason}" for row in done.refused),
            state="the nodes themselves serve as before",
            next_step="mend what is named and run the same command again",
        )
        problem.report = done
        raise problem
    return done
