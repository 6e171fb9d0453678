"""What the settings of a migration promise."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

from cri_switch.model.batches import at_once
from cri_switch.model.migration import Spec
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import chosen
from cri_switch.model.window import Window


@dataclass(frozen=True)
class Promise:
    """`left_alone` are nodes that nothing may be done to."""

    max_unavailable: int = 1
    left_alone: frozenset[str] = frozenset()
    failures_allowed: int = 0
    window: Window | None = None
    removes_after_node: bool = False
    """Docker's packages go right after a node: that may finish after the window as the node may."""

    @classmethod
    def of(cls, spec: Spec, nodes: Iterable[NodeRef], migrated: Collection[str] = ()) -> Self:
        """By the settings; nodes that are not chosen are left alone, and those that were `migrated` before.

        `nodes.selector` is not looked at.
        """
        known = list(nodes)
        skipped = {node.name for node in known if not chosen(node, spec)}
        return cls(
            at_once(spec.max_unavailable, sum(1 for node in known if node.role == "worker")),
            frozenset({*migrated, *skipped}),
            spec.max_failures,
            spec.window,
            spec.remove_docker == "after_node",
        )
