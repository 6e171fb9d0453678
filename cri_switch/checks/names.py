"""Names in the settings that nothing in the cluster has."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from cri_switch.model.finding import Finding
from cri_switch.model.migration import Choice


def check_names(choice: Choice, nodes: Sequence[str], selected: Collection[str]) -> list[Finding]:
    """An error for each name or glob in nodes.limit and nodes.exclude that matches no node, and so for nodes.selector.

    `selected` are the nodes that have the selector's labels. A wrong name in exclude counts as much: the node that it
    means would be migrated.
    """
    findings = []
    for key, patterns in (("limit", choice.limit), ("exclude", choice.exclude)):
        for pattern in dict.fromkeys(patterns):
            if any(fnmatchcase(node, pattern) for node in nodes):
                continue
            close = difflib.get_close_matches(pattern, nodes, n=1)
            findings.append(
                Finding(
                    level="error",
                    name="UnknownNode",
                    summary=f"nodes.{key}: {pattern} matches no node"
                    + (f"; did you mean {close[0]}?" if close else ""),
                    object=pattern,
                    detail="nodes: " + ", ".join(sorted(nodes)),
                    remedy=f"correct spec.nodes.{key}: kubectl get nodes shows the names",
                )
            )
    if not selected:
        findings.append(
            Finding(
                level="error",
                name="UnknownNode",
                summary=f"nodes.selector: no node has the labels {choice.selector}",
                object=choice.selector,
                remedy="correct spec.nodes.selector: kubectl get nodes --show-labels",
            )
        )
    return findings


def check_held(names: Sequence[str], daemonsets: Sequence[str]) -> list[Finding]:
    """An error for each of spec.hold_daemonsets that the cluster does not have; both as namespace/name."""
    findings = []
    for name in names:
        if name in daemonsets:
            continue
        close = difflib.get_close_matches(name, daemonsets, n=1)
        findings.append(
            Finding(
                level="error",
                name="UnknownDaemonSet",
                summary=f"hold_daemonsets: there is no DaemonSet {name}"
                + (f"; did you mean {close[0]}?" if close else ""),
                object=name,
                detail="DaemonSets: " + ", ".join(sorted(daemonsets)),
                remedy="kubectl get daemonsets -A",
            )
        )
    return findings
