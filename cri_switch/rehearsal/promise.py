"""What the settings of a migration promise."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from cri_switch.model.batches import at_once
from cri_switch.model.migration import Spec
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import chosen
from cri_switch.model.window import Window
from cri_switch.rehearsal.api_select import matches
from cri_switch.rehearsal.world import World


@dataclass(frozen=True)
class Promise:
    """`left_alone` are nodes that nothing may be done to."""

    max_unavailable: int = 1
    left_alone: frozenset[str] = frozenset()
    failures_allowed: int = 0
    window: Window | None = None
    removes_after_node: bool = False
    """Docker's packages go right after a node: that may finish after the window as the node may."""
    takes_bare: bool = False
    """Pods that no controller would replace may be taken away."""

    @classmethod
    def of(cls, spec: Spec, world: World, migrated: Collection[str] = ()) -> Self:
        """By the settings and the nodes; who is not chosen is left alone, and who was `migrated` before."""
        labelled = {n["metadata"]["name"] for n in world.store.list("Node") if matches(n, spec.nodes.selector, "")}
        known = [
            NodeRef.model_validate({"name": name, "uid": "", "role": machine.role})
            for name, machine in world.machines.items()
        ]
        skipped = {node.name for node in known if not chosen(node, spec, selected=node.name in labelled)}
        return cls(
            at_once(spec.max_unavailable, sum(1 for node in known if node.role == "worker")),
            frozenset({*migrated, *skipped}),
            spec.max_failures,
            spec.window,
            spec.remove_docker == "after_node",
            spec.drain.force,
        )
