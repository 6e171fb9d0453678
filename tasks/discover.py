"""What the cluster is and which nodes it has, through its API alone."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from cri_switch.checks.managed_nodes import check_managed
from cri_switch.checks.names import check_names
from cri_switch.checks.zones import check_zones
from cri_switch.cluster.inventory import inventory, selected
from cri_switch.cluster.mark import marked
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Migration
from cri_switch.model.migration_id import migration_id
from cri_switch.model.node_ref import NodeRef
from tasks import reach
from tasks.look import look


class Discovery(BaseModel):
    """The cluster's identity, its nodes, and what earlier runs of this migration left on them."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    cluster_uid: str
    migration_id: str
    nodes: tuple[NodeRef, ...]
    half_done: frozenset[str]
    switched: frozenset[str]
    selected: frozenset[str]
    """The nodes with the labels of `nodes.selector`; all where none is set."""
    zones: dict[str, str]
    """Per node the value of the label that `spread` names; empty where none is set."""
    findings: tuple[Finding, ...]


@look
def discover(migration: Migration) -> Discovery:
    """Ask the API who the nodes are. An API that does not let us look ends the run here."""
    api = reach.cluster(migration)
    uid = api.uid()
    mine = migration_id(migration, uid)
    raw = api.list("Node")
    nodes = inventory(api)
    marks = {node["metadata"]["name"]: marked(node, mine) for node in raw}
    spec, names = migration.spec, [node.name for node in nodes]
    chosen = selected(api, spec.nodes.selector) if spec.nodes.selector else frozenset(names)
    zones = {}
    if spec.spread:
        zones = {node["metadata"]["name"]: (node["metadata"].get("labels") or {}).get(spec.spread, "") for node in raw}
    findings = [*check_managed(raw), *check_names(spec.nodes, names, chosen), *check_zones(spec.spread, zones)]
    return Discovery(
        cluster_uid=uid,
        migration_id=mine,
        nodes=tuple(nodes),
        half_done=frozenset(name for name, (half, _) in marks.items() if half),
        switched=frozenset(name for name, (_, switched) in marks.items() if switched),
        selected=chosen,
        zones=zones,
        findings=tuple(findings),
    )
