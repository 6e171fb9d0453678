"""Nodes that would be left where they are, although they were chosen."""

from __future__ import annotations

from collections.abc import Iterable

from cri_switch.model.finding import Finding
from cri_switch.model.node_ref import NodeRef


def check_runtimes(chosen: Iterable[NodeRef], target: str) -> list[Finding]:
    """An error for each chosen node that runs neither Docker nor the target: it would not arrive."""
    return [
        Finding(
            "error",
            "RuntimeNotDocker",
            f"{node.name} runs {node.runtime or 'an unknown runtime'}, which is neither Docker nor {target}:"
            " it cannot be switched",
            node=node.name,
            object=f"Node/{node.name}",
            remedy=f"leave it out: spec.nodes.exclude: [{node.name}]",
        )
        for node in chosen
        if not node.runtime.startswith(("docker://", f"{target}://"))
    ]
