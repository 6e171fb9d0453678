"""Whether all nodes would get the same runtime."""

from __future__ import annotations

from collections.abc import Mapping

from cri_switch.checks.pods import some
from cri_switch.model.finding import Finding
from cri_switch.render.version import major_minor


def check_versions(runtimes: Mapping[str, tuple[str, str]]) -> list[Finding]:
    """A warning where nodes get different minor versions; (version, source) by node, the source "" where installed."""
    found: dict[tuple[int, int], list[str]] = {}
    for node, (version, _source) in runtimes.items():
        if (numbers := major_minor(version)) is not None:
            found.setdefault(numbers, []).append(node)
    if len(found) < 2:
        return []
    parts = [f"{major}.{minor} on {some(nodes)}" for (major, minor), nodes in sorted(found.items())]
    detail = "\n".join(
        f"{node}: containerd {version} {f'from {source}' if source else 'installed'}"
        for node, (version, source) in sorted(runtimes.items())
        if version
    )
    return [
        Finding(
            "warning",
            "RuntimeVersionsDiffer",
            f"the nodes would run different versions of containerd: {', '.join(parts)}",
            detail=detail,
            remedy="give them the same package source, then apt-get update",
        )
    ]
