"""What a DaemonSet's controller would do now: pure. Source: pkg/controller/daemon/daemon_controller.go, update.go."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cri_switch.rehearsal.pods_of import active, ended, going, ready, tolerates
from cri_switch.rehearsal.scheduler import affinity_fits

Obj = dict[str, Any]
HASH = "controller-revision-hash"
TOLERATIONS = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": effect}
    for key, effect in (
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    )
]


@dataclass(frozen=True)
class Wish:
    """Pods to delete, nodes that lack one, the status; `digest` is the hash that new pods carry."""

    delete: tuple[Obj, ...]
    create: tuple[str, ...]
    digest: str
    status: Obj


def wish(obj: Obj, mine: Sequence[Obj], nodes: Sequence[Obj]) -> Wish:
    """By the template as it is now: a node that its affinity does not fit loses its pod, whatever the strategy."""
    template = {"spec": {**obj["spec"]["template"]["spec"]}}
    template["spec"]["tolerations"] = [*(template["spec"].get("tolerations") or []), *TOLERATIONS]
    digest = hashlib.sha256(json.dumps(obj["spec"]["template"], sort_keys=True).encode()).hexdigest()[:10]
    wanted = {node["metadata"]["name"] for node in nodes if _runs_on(template, node)}
    stays = {node["metadata"]["name"] for node in nodes if _fits(template, node)}
    there: dict[str, list[Obj]] = {}
    for pod in mine:
        there.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
    gone = [p for p in mine if not going(p) and (ended(p) or p["spec"].get("nodeName", "") not in stays)]
    whole = [pod for pod in mine if active(pod) and pod not in gone]
    old = [pod for pod in whole if pod["metadata"].get("labels", {}).get(HASH) != digest]
    up = sum(1 for pod in whole if ready(pod))
    if (obj["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate":
        down = sorted((pod for pod in old if not ready(pod)), key=_name)
        missing = len(wanted) - up  # maxUnavailable is 1
        gone += down or sorted(old, key=_name)[: max(0, 1 - missing)]
    status = {
        "desiredNumberScheduled": len(wanted),
        "currentNumberScheduled": sum(1 for name in wanted if name in there),
        "updatedNumberScheduled": len(whole) - len(old),
        "numberReady": up,
        "numberAvailable": up,
        "numberMisscheduled": 0,
    }
    return Wish(tuple(gone), tuple(sorted(wanted - there.keys())), digest, status)


def _name(pod: Obj) -> str:
    return str(pod["metadata"]["name"])


def _fits(template: Obj, node: Obj) -> bool:
    selector, labels = template["spec"].get("nodeSelector") or {}, node["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in selector.items()) and affinity_fits(template, labels)


def _runs_on(template: Obj, node: Obj) -> bool:
    taints = [t for t in node["spec"].get("taints") or [] if t["effect"] in ("NoSchedule", "NoExecute")]
    return _fits(template, node) and all(tolerates(template, taint) for taint in taints)
