"""Ask the cluster and the nodes where a migration stands; Prefect is not asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from cri_switch.cluster.annotate import cri_socket
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.cordon import cordoned_by
from cri_switch.cluster.inventory import node_ref
from cri_switch.cluster.lease_holder import Holder, holder
from cri_switch.cluster.mark import marked
from cri_switch.cluster.taint import WAITING
from cri_switch.model.errors import CriSwitchError
from cri_switch.model.migration import Migration
from cri_switch.model.migration_id import migration_id
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.standing import NodeStanding, Phase, Standing
from cri_switch.node.connection import Connection
from cri_switch.node.journal import ROLLBACK_STEPS, Entry, journal_fact

Reach = Callable[[NodeRef], Connection]
_AT_ONCE = 32


def standing(api: Cluster, reach: Reach, migration: Migration, *, now: datetime | None = None, file: str) -> Standing:
    """Look once; a node that does not answer is told by its `problem`. Raises ApiError, Unreachable (the API)."""
    uid = api.uid()
    mine = migration_id(migration, uid)
    held = holder(api)
    running = bool(held and held.identity) and not (held and held.expired(now or datetime.now(UTC)))
    raw = sorted(api.list("Node"), key=lambda node: str(node["metadata"]["name"]))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        journals = list(pool.map(lambda node: _journal(node_ref(node), reach, mine), raw))
    nodes = [
        _node(node, entries, problem, migration, mine, running=running, file=file)
        for node, (entries, problem) in zip(raw, journals, strict=True)
    ]
    held = held or Holder("")
    return Standing(
        migration=migration.metadata.name,
        migration_id=mine,
        cluster_uid=uid,
        target=migration.spec.target.runtime,
        holder=held.identity,
        since=held.since,
        renewed=held.renewed,
        running=running,
        nodes=tuple(nodes),
    )


def _journal(node: NodeRef, reach: Reach, mine: str) -> tuple[list[Entry], str]:
    try:
        return journal_fact(mine).read(reach(node)), ""
    except CriSwitchError as problem:
        return [], problem.what


def _node(
    node: Obj, entries: Sequence[Entry], problem: str, migration: Migration, mine: str, *, running: bool, file: str
) -> NodeStanding:
    ref = node_ref(node)
    last = entries[-1] if entries else None
    phase = _phase(node, ref, last, migration.spec.target.runtime, mine, running=running)
    owner = cordoned_by(node)
    whose = "cri-switch" if owner == mine else f"migration {owner}" if owner else "an administrator"
    conditions = (node.get("status") or {}).get("conditions") or []
    return NodeStanding(
        name=ref.name,
        role=ref.role,
        ready=any(each["type"] == "Ready" and each["status"] == "True" for each in conditions),
        kubelet_version=ref.kubelet_version,
        runtime=ref.runtime,
        cri_socket=cri_socket(node),
        phase=phase,
        attempt=last.attempt if last else None,
        step=last.step if last else "",
        event=last.event if last else "",
        at=last.time if last else None,
        cordon=whose if ref.unschedulable else "",
        next=_next(ref, phase, last, file),
        problem=problem,
    )


def _phase(node: Obj, ref: NodeRef, last: Entry | None, target: str, mine: str, *, running: bool) -> Phase:
    half, switched = marked(node, mine)
    if half:
        return "migrating" if running else "half-done"
    if switched:
        return "switched"
    if ref.runtime.startswith(f"{target}://"):
        return "migrated"
    if any(t.get("key") == WAITING and t.get("value") == mine for t in (node.get("spec") or {}).get("taints") or []):
        return "waiting"
    if last is not None and last.step in ROLLBACK_STEPS and last.event == "done":
        return "rolled-back"
    return "untouched" if ref.runtime.startswith("docker://") else "other"


def _next(ref: NodeRef, phase: Phase, last: Entry | None, file: str) -> str:
    if phase == "half-done" and last is not None and last.step in ROLLBACK_STEPS:
        return f"cri-switch rollback {ref.name} -f {file} --yes"
    return {
        "half-done": f"cri-switch migrate -f {file} --yes: it goes on here",
        "rolled-back": "see why it failed, then migrate again",
        "migrating": "the run goes on",
        "waiting": "waits for its turn",
        "switched": "Docker's packages are removed at the end of the run",
    }.get(phase, "")
