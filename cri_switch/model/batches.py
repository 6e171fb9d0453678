"""The order of a run: who goes together, and after whom."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from cri_switch.model.migration import Spec
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan


def at_once(max_unavailable: int | str, workers: int) -> int:
    """How many workers may be out together: a number, or a percentage rounded down, at least one (kops' rule)."""
    if isinstance(max_unavailable, int):
        return max_unavailable
    return max(1, workers * int(max_unavailable.rstrip("%")) // 100)


def ramp(steps: str | None, most: int, workers: int) -> Iterator[int]:
    """Sizes of the batches after the canary: the ramp's in turn, its last one again and again, never over `most`.

    A ramp that begins with 1 means the canary by it, so that is not done twice.
    """
    given = [part.strip() for part in steps.split(",")] if steps else [str(most)]
    sizes = [min(most, at_once(part if part.endswith("%") else int(part), workers)) for part in given]
    if steps and len(sizes) > 1 and sizes[0] == 1:
        sizes = sizes[1:]
    yield from sizes
    yield from itertools.repeat(sizes[-1])


def batches(nodes: Sequence[NodePlan], spec: Spec) -> tuple[tuple[NodeRef, ...], ...]:
    """Half-done nodes first, the first worker alone, workers in batches, control-plane nodes one by one.

    A half-done control-plane node goes before all: while it is out, etcd has no member to spare, and no gate is met.
    A batch ends where its zone does: half-done nodes zone by zone, then the others zone by zone.
    """
    chosen = sorted((n for n in nodes if n.action != "skip"), key=lambda n: n.action != "resume")
    workers = [n for n in chosen if n.node.role == "worker"]
    zones = list(dict.fromkeys(n.zone for n in workers))
    workers.sort(key=lambda n: (n.action != "resume", zones.index(n.zone)))
    count = sum(1 for n in nodes if n.node.role == "worker")
    sizes = ramp(spec.ramp, at_once(spec.max_unavailable, count), count)
    planes = [n for n in chosen if n.node.role == "control-plane"]
    order: list[tuple[NodeRef, ...]] = [(n.node,) for n in planes if n.action == "resume"]
    order += [tuple(n.node for n in workers[:1])] if workers else []
    for _zone, group in itertools.groupby(workers[1:], key=lambda n: n.zone):
        left = [n.node for n in group]
        while left:
            size = next(sizes)
            order.append(tuple(left[:size]))
            left = left[size:]
    order += [(n.node,) for n in planes if n.action != "resume"]
    return tuple(order)
