"""Which pods wait for an administrator: what the API says of nodes and volumes, judged as preflight judges it."""

from __future__ import annotations

from collections.abc import Sequence

from cri_switch.checks.node_fit import tied_volumes
from cri_switch.checks.stays_cordoned import kept_pending
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.cordon import cordoned_by
from cri_switch.cluster.left_pending import Kept


def waiting_for_uncordon(api: Cluster) -> Kept:
    """Looks anew at each call: an administrator may uncordon, or cordon, at any time."""

    def look(pods: Sequence[Obj]) -> Sequence[Obj]:
        nodes = api.list("Node")
        held = {each["metadata"]["name"] for each in nodes if _kept_cordoned(each)}
        if not held:
            return ()
        tied = tied_volumes(api.list("PersistentVolumeClaim"), api.list("PersistentVolume"))
        return kept_pending(pods, held, nodes, tied)

    return look


def _kept_cordoned(node: Obj) -> bool:
    """A migration's own cordon ends, an administrator's stays."""
    return bool((node.get("spec") or {}).get("unschedulable")) and not cordoned_by(node)
