"""The DaemonSet that tests hold: the right to do so, and how it looks."""

from __future__ import annotations

import copy
from typing import Any

from cri_switch.cluster.hold_patch import HOLD
from cri_switch.rehearsal.build import rest
from cri_switch.rehearsal.world import World

Obj = dict[str, Any]
NAME = "shop/agent"
RIGHT = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: hold, namespace: shop}
rules: [{apiGroups: [apps], resources: [daemonsets], resourceNames: [agent], verbs: [patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: hold, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: hold}
subjects: [{kind: ServiceAccount, name: cri-switch, namespace: cri-switch}]
"""


def may_be_held(world: World, *, right: bool = True) -> None:
    """The agent as the API stores it, and the pipeline's right to hold it."""
    if right:
        world.rights.load(RIGHT)
    world.store.change("DaemonSet", "agent", "shop", _as_the_api_stores_it)
    rest(world)


def daemonset(world: World) -> Obj:
    """The agent without what its controller and the API write."""
    found = copy.deepcopy(world.store.get("DaemonSet", "agent", "shop") or {})
    found["metadata"] = {k: v for k, v in found["metadata"].items() if k in ("name", "namespace", "annotations")}
    found["metadata"]["annotations"] = found["metadata"].get("annotations") or {}
    del found["status"]
    return found


def labelled(world: World) -> list[str]:
    """Nodes that are held."""
    return [n["metadata"]["name"] for n in world.store.list("Node") if HOLD in n["metadata"].get("labels", {})]


def _as_the_api_stores_it(found: Obj) -> None:
    found["spec"]["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
