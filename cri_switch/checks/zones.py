"""Nodes of which nobody says in which zone they are."""

from __future__ import annotations

from collections.abc import Mapping

from cri_switch.model.finding import Finding


def check_zones(label: str | None, zones: Mapping[str, str]) -> list[Finding]:
    """A warning where nodes lack the label that `spread` names: they are taken for one zone of their own."""
    lacking = sorted(name for name, zone in zones.items() if not zone)
    if not lacking:
        return []
    shown = ", ".join(lacking[:10]) + (f" and {len(lacking) - 10} more" if len(lacking) > 10 else "")
    return [
        Finding(
            "warning",
            "NodeWithoutZone",
            f"{len(lacking)} nodes have no label {label} and are taken for one zone: {shown}",
            object=label or "",
            remedy=f"kubectl label node NODE {label}=ZONE",
        )
    ]
