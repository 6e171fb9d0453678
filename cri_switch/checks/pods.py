"""Which pods a drain takes away: kubectl's filters, seen beforehand."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cri_switch.checks.owner import Obj, controller_of, is_static

PROBES = "cri-switch"
"""The namespace of our own probe pods, which no drain meets."""


def drained(pods: Iterable[Obj], nodes: Collection[str]) -> list[Obj]:
    """The running pods on `nodes` that a drain evicts: no static, no DaemonSet's, no finished pods."""
    return [
        pod
        for pod in pods
        if (pod.get("spec") or {}).get("nodeName") in nodes
        and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
        and pod["metadata"].get("namespace") != PROBES
        and not is_static(pod)
        and (controller_of(pod) or {}).get("kind") != "DaemonSet"
    ]


def name_of(pod: Obj) -> str:
    """`namespace/name`."""
    return f"{pod['metadata'].get('namespace', 'default')}/{pod['metadata'].get('name', '')}"


def some(names: Iterable[str], most: int = 5) -> str:
    """The names, or the first of many and how many more there are."""
    ordered = sorted(set(names))
    if len(ordered) <= most:
        return ", ".join(ordered)
    return f"{', '.join(ordered[: most - 1])} and {len(ordered) - most + 1} more"
