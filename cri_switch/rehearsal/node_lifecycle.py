"""The node lifecycle controller: who is silent, and the taints of who is not ready."""

from __future__ import annotations

from typing import Any

from cri_switch.rehearsal.clock import epoch, timestamp
from cri_switch.rehearsal.pods_of import ended
from cri_switch.rehearsal.store import Store

Obj = dict[str, Any]
GRACE_SECONDS = 40.0
"""node-monitor-grace-period; in real seconds, because it is the orchestrator's pace that it is up against."""


def watch_nodes(store: Store) -> None:
    """A node whose kubelet is silent is Unknown, and its pods are not ready; taints follow the condition."""
    now, grace = store.clock.now(), GRACE_SECONDS * max(1.0, store.clock.scale)
    for node in store.peek("Node"):
        name = node["metadata"]["name"]
        condition = next((c for c in (node.get("status") or {}).get("conditions") or [] if c["type"] == "Ready"), None)
        if condition is None:
            continue
        if condition["status"] != "Unknown" and now - epoch(condition["lastHeartbeatTime"]) > grace:

            def silent(found: Obj) -> None:
                for each in found["status"]["conditions"]:
                    if each["type"] == "Ready":
                        each |= {"status": "Unknown", "reason": "NodeStatusUnknown"}
                        each |= {
                            "message": "Kubelet stopped posting node status.",
                            "lastTransitionTime": timestamp(now),
                        }

            store.change("Node", name, "", silent)
            for pod in [p for p in store.peek("Pod") if p["spec"].get("nodeName") == name and not ended(p)]:
                store.change("Pod", pod["metadata"]["name"], pod["metadata"]["namespace"], _not_ready)
        _taint(store, store.get("Node", name) or node)


def _not_ready(pod: Obj) -> None:
    for each in (pod.get("status") or {}).get("conditions") or []:
        if each["type"] == "Ready":
            each["status"] = "False"


def _taint(store: Store, node: Obj) -> None:
    status = next(c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready")
    wanted = {"False": "not-ready", "Unknown": "unreachable"}.get(status)
    ours = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
    taints = node["spec"].get("taints") or []
    kept = [taint for taint in taints if taint["key"] not in ours]
    if wanted:
        kept += [{"key": f"node.kubernetes.io/{wanted}", "effect": effect} for effect in ("NoSchedule", "NoExecute")]
    if kept != taints:

        def change(found: Obj) -> None:
            found["spec"]["taints"] = kept
            if not kept:
                del found["spec"]["taints"]

        store.change("Node", node["metadata"]["name"], "", change)
