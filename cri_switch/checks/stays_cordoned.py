"""Pods that would not come back, as their only nodes were cordoned by an administrator and stay so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from cri_switch.checks.node_fit import Terms, fits
from cri_switch.checks.owner import Obj
from cri_switch.checks.pods import drained, name_of, some
from cri_switch.model.finding import Finding

_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def check_stays_cordoned(
    chosen: Collection[str],
    held: Collection[str],
    nodes: Sequence[Obj],
    pods: Sequence[Obj],
    tied: Mapping[str, Terms] | None = None,
) -> list[Finding]:
    """An error for each chosen node with pods that no node would take which is not `held`.

    `held` were cordoned by an administrator: a migration leaves them so, and a drained pod of theirs stays Pending,
    its controller is never whole again, and the node would be taken back for that. `tied` as in check_capacity.
    """
    places = [_cordoned(node) if node["metadata"]["name"] in held else node for node in nodes]
    findings = []
    for name in sorted(set(chosen) & set(held)):
        stuck = [name_of(pod) for pod in drained(pods, {name}) if not any(fits(pod, each, tied) for each in places)]
        if stuck:
            findings.append(
                Finding(
                    "error",
                    "TiedToCordonedNode",
                    f"{name} was cordoned by an administrator and stays so, and only there may run {some(stuck)}:"
                    " pending from the drain until somebody uncordons it",
                    node=name,
                    object=f"node {name}",
                    detail=f"pods: {', '.join(sorted(stuck))}",
                    remedy=f"kubectl uncordon {name}, or spec.nodes.exclude: [{name}]",
                )
            )
    return findings


def _cordoned(node: Obj) -> Obj:
    """With the taint that the node controller gives it: who tolerates that comes back."""
    spec = node.get("spec") or {}
    return {**node, "spec": {**spec, "taints": [*(spec.get("taints") or []), _TAINT]}}
