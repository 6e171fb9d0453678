"""Pods that would not, or do not, come back, as their only nodes were cordoned by an administrator and stay so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from cri_switch.checks.node_fit import Terms, fits
from cri_switch.checks.owner import Obj
from cri_switch.checks.pods import drained, name_of, some
from cri_switch.model.finding import Finding

Pod = TypeVar("Pod", bound=Obj)
_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def check_stays_cordoned(
    chosen: Collection[str],
    held: Collection[str],
    nodes: Sequence[Obj],
    pods: Sequence[Obj],
    tied: Mapping[str, Terms] | None = None,
) -> list[Finding]:
    """An error for each chosen node with pods that no node would take which is not `held`.

    `held` were cordoned by an administrator: a migration leaves them so, and a drained pod of theirs stays Pending
    until he uncordons them. `tied` as in check_capacity.
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


def kept_pending(
    pods: Sequence[Pod], held: Collection[str], nodes: Sequence[Obj], tied: Mapping[str, Terms] | None = None
) -> list[Pod]:
    """Of pods without a node, those that a `held` node would take if it were not cordoned, and no other node would.

    The others are taken as they are when they serve: what the node controller says of them by taints passes.
    """
    at_best = [_untainted(node) for node in nodes]
    found = []
    for pod in pods:
        takers = {node["metadata"]["name"] for node in at_best if fits(pod, node, tied)}
        if takers and takers <= set(held):
            found.append(pod)
    return found


def _untainted(node: Obj) -> Obj:
    """Without the taints that the node controller gives and takes."""
    spec = node.get("spec") or {}
    kept = [taint for taint in spec.get("taints") or [] if not taint["key"].startswith("node.kubernetes.io/")]
    return {**node, "spec": {**spec, "taints": kept}}


def _cordoned(node: Obj) -> Obj:
    """With the taint that the node controller gives it: who tolerates that comes back."""
    spec = node.get("spec") or {}
    return {**node, "spec": {**spec, "taints": [*(spec.get("taints") or []), _TAINT]}}
