"""Which nodes, in which order, and why the others are left alone."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from cri_switch.model.migration import Spec
from cri_switch.model.node_ref import NodeRef

NodeAction = Literal["migrate", "resume", "skip"]


class NodePlan(BaseModel):
    """What happens to one node, and the reason where it is not obvious."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    node: NodeRef
    action: NodeAction
    reason: str = ""
    remove_docker: bool = False
    """An earlier run of this migration switched it; only Docker's packages are left to remove."""


class FileChange(BaseModel):
    """A file that would change in the same way on these nodes; secrets are masked, `before` is None for no file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    before: str | None
    after: str
    nodes: tuple[str, ...]


def grouped(changes: Sequence[FileChange]) -> tuple[FileChange, ...]:
    """Changes that are equal on several nodes as one, in the order of the paths."""
    nodes: dict[tuple[str, str | None, str], list[str]] = {}
    for change in changes:
        nodes.setdefault((change.path, change.before, change.after), []).extend(change.nodes)
    found = [FileChange(path=p, before=b, after=a, nodes=tuple(names)) for (p, b, a), names in nodes.items()]
    return tuple(sorted(found, key=lambda change: (change.path, change.nodes)))


class Plan(BaseModel):
    """The whole run: every node of the cluster, then the batches in order (canary, workers, control plane)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cluster_uid: str
    migration_id: str
    target: str
    nodes: tuple[NodePlan, ...]
    batches: tuple[tuple[NodeRef, ...], ...]
    files: tuple[FileChange, ...] = ()
    """What would be written, where the plan was asked for it."""

    @property
    def todo(self) -> tuple[NodeRef, ...]:
        """The nodes that will be switched, in order."""
        return tuple(node for batch in self.batches for node in batch)

    def neighbours(self, node: NodeRef) -> list[NodeRef]:
        """Another node from which a pod on this one must be reachable: not of its batch where there is one."""
        batch = next((set(batch) for batch in self.batches if node in batch), {node})
        others = sorted((n.node for n in self.nodes if n.node != node), key=lambda n: n in batch)
        return others[:1]

    @property
    def finished_before(self) -> tuple[NodeRef, ...]:
        """Nodes that an earlier run of this migration switched and whose Docker packages it did not remove."""
        return tuple(n.node for n in self.nodes if n.remove_docker)

    @property
    def summary(self) -> str:
        """`Plan: 2 to migrate, 1 to resume, 1 left alone.`"""
        count = {action: sum(1 for n in self.nodes if n.action == action) for action in ("migrate", "resume", "skip")}
        return f"Plan: {count['migrate']} to migrate, {count['resume']} to resume, {count['skip']} left alone."


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


def node_plan(node: NodeRef, spec: Spec, *, in_progress: bool) -> NodePlan:
    """What to do with a node; `in_progress` says that an earlier run of this migration left it half done."""
    named = not spec.nodes.limit or any(fnmatch.fnmatchcase(node.name, glob) for glob in spec.nodes.limit)
    excluded = any(fnmatch.fnmatchcase(node.name, glob) for glob in spec.nodes.exclude)
    target = spec.target.runtime
    if not named or excluded:
        return NodePlan(node=node, action="skip", reason="not chosen")
    if in_progress:
        return NodePlan(node=node, action="resume", reason="an earlier run did not finish it")
    if node.runtime.startswith(f"{target}://"):
        return NodePlan(node=node, action="skip", reason=f"already on {node.runtime}")
    if not node.runtime.startswith("docker://"):
        return NodePlan(node=node, action="skip", reason=f"runs {node.runtime or 'an unknown runtime'}, not Docker")
    return NodePlan(node=node, action="migrate")


def batches(nodes: Sequence[NodePlan], spec: Spec) -> tuple[tuple[NodeRef, ...], ...]:
    """The order: half-done nodes first, the first worker alone, workers in batches, control-plane nodes one by one."""
    chosen = sorted((n for n in nodes if n.action != "skip"), key=lambda n: n.action != "resume")
    workers = [n.node for n in chosen if n.node.role == "worker"]
    size = at_once(spec.max_unavailable, sum(1 for n in nodes if n.node.role == "worker"))
    order = [tuple(workers[:1])] if workers else []
    sizes, begin = ramp(spec.ramp, size, sum(1 for n in nodes if n.node.role == "worker")), 1
    while begin < len(workers):
        end = begin + next(sizes)
        order.append(tuple(workers[begin:end]))
        begin = end
    order += [(n.node,) for n in chosen if n.node.role == "control-plane"]
    return tuple(order)
