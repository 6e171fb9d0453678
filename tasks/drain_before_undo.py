"""A node that serves on the new runtime is drained before it goes back to Docker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.cordon import cordon as cordon_node
from cri_switch.cluster.cordon import uncordon as uncordon_node
from cri_switch.cluster.drain import drain as drain_node
from cri_switch.cluster.inventory import same_node
from cri_switch.cluster.probe import clear_probes
from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import ApiError, CriSwitchError, DrainBlocked, RemoteTimeout, Stopped
from cri_switch.model.errors import Unreachable as Away
from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan
from cri_switch.node.actions.stop_kubelet import KUBELET
from cri_switch.node.facts.units import units
from tasks import reach, stop
from tasks.control_plane import may_still_go_back


def drain_before_undo(attempt: Attempt, migration: Migration, asked_in: Plan | None) -> bool:
    """Only a node that serves on the new runtime: from any other, pods cannot be evicted in an orderly way.

    False where it was left as it is, and True where it is cordoned now.

    Where the kubelet is stopped the API is not asked: with one control plane it is away for as long. A refused drain
    (a PDB) is no reason to leave a node that failed where it is: what is left on it is stopped with its grace and
    started again in place, as in a reboot. Where a person asked for it, with the plan `asked_in`, every refusal is one:
    the node is uncordoned, and the error's state says that it serves still.

    Raises: Stopped; as a person asked for it also DrainBlocked, ControlPlaneNotWell, and whatever else kept it.
    """
    api, node, logger = reach.cluster(migration), attempt.node, get_run_logger()
    if not units(KUBELET).read(reach.node(node, migration))[KUBELET].active:
        return False
    try:
        found = same_node(api, node)
    except (Away, ApiError) as problem:
        if asked_in is not None:
            raise
        logger.warning("node=%s not drained: %s", node.name, problem.what)
        return False
    status = found["status"]
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or [])
    if not ready or status["nodeInfo"]["containerRuntimeVersion"].startswith("docker://"):
        return False
    cordon_node(api, node, attempt.migration_id)
    try:
        with in_service_again(attempt, migration, asked=asked_in is not None):
            clear_probes(api, node, stop=stop.stopping, sleep=stop.sleep)
            drain_node(
                api,
                node,
                migration.spec.drain,
                say=lambda line: logger.info("node=%s %s", node.name, line),
                stop=stop.stopping,
                sleep=stop.sleep,
            )
            if asked_in is not None:
                may_still_go_back(node, asked_in, migration)
    except (DrainBlocked, RemoteTimeout) as problem:
        if asked_in is not None:
            raise
        logger.warning("node=%s not drained, its pods are restarted in place: %s", node.name, problem.what)
    return True


@contextmanager
def in_service_again(attempt: Attempt, migration: Migration, *, asked: bool) -> Iterator[None]:
    """What refuses the way back of a drained node that a person asked for uncordons it, and its state says so."""
    try:
        yield
    except Stopped:
        raise
    except CriSwitchError as problem:
        if asked:
            problem.state = "; ".join(filter(None, (problem.state, _kept(reach.cluster(migration), attempt))))
        raise


def _kept(api: Cluster, attempt: Attempt) -> str:
    """The node serves where it is, in service again where the API lets us; in words."""
    try:
        cordon = uncordon_node(api, attempt.node, attempt.migration_id)
    except CriSwitchError as problem:
        cordon = f"it stays cordoned ({problem.what})"
    return f"{cordon}; it serves on the new runtime still"
