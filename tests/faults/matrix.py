"""Which cells there are: a step, after or inside it, on a node."""

from __future__ import annotations

from collections.abc import Collection

from cri_switch.model.steps import STEPS

NODES = ("w1", "w2", "cp1")
FROM = STEPS[STEPS.index("drain") :]
CHOSEN = (
    ("w1", "stop_docker", "after"),
    ("w1", "start_kubelet", "inside"),
    ("w2", "install_runtime", "after"),
    ("cp1", "start_kubelet", "after"),
)
"""Those of `make test`."""
# containerd is installed there by stage, or runs already: the step changes nothing, so it has no inside
_UNCHANGED = (("w2", "install_runtime", "inside"),)


def cells() -> list[tuple[str, str, str]]:
    """(node, step, when): the chosen ones first, then all others, node by node."""
    every = [(node, step, when) for when in ("after", "inside") for node in NODES for step in FROM]
    return [*CHOSEN, *(cell for cell in every if cell not in (*CHOSEN, *_UNCHANGED))]


def unseen(seen: Collection[tuple[str, str, str]]) -> str:
    """The cells that were not seen, in a sentence; "" when all were."""
    left = [cell for cell in cells() if cell not in seen]
    words = ", ".join(f"{node} {step} {when}" for node, step, when in left)
    return f"Not seen yet, {len(left)} of {len(cells())}: {words}." if left else ""
