"""Which nodes, in which order, and why the others are left alone."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
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
    zone: str = ""
    """Its value of the label that `spec.spread` names; "" where there is none."""
    switched: bool = False
    """An earlier run of this migration switched it, and left Docker's packages."""
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

    @property
    def half_done(self) -> frozenset[str]:
        """The names of the nodes that an earlier run has begun and not finished."""
        return frozenset(n.node.name for n in self.nodes if n.action == "resume")

    @property
    def canary(self) -> tuple[NodeRef, ...]:
        """The batch that stands for all that follow: the first one of workers, where there are any."""
        workers = (batch for batch in self.batches if batch[0].role == "worker")
        return next(workers, self.batches[0] if self.batches else ())

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


def chosen(node: NodeRef, spec: Spec, *, selected: bool = True) -> bool:
    """Whether `spec.nodes` means it; `selected` says that it has the labels of `nodes.selector`."""
    named = not spec.nodes.limit or any(fnmatch.fnmatchcase(node.name, glob) for glob in spec.nodes.limit)
    excluded = any(fnmatch.fnmatchcase(node.name, glob) for glob in spec.nodes.exclude)
    return named and not excluded and selected and spec.nodes.role in (None, node.role)


def node_plan(node: NodeRef, spec: Spec, *, in_progress: bool, selected: bool = True) -> NodePlan:
    """What to do with a node.

    `in_progress` says that an earlier run of this migration left it half done; `selected`, that it has the labels of
    `nodes.selector`.
    """
    target = spec.target.runtime
    if not chosen(node, spec, selected=selected):
        return NodePlan(node=node, action="skip", reason="not chosen")
    if in_progress:
        return NodePlan(node=node, action="resume", reason="an earlier run did not finish it")
    if node.runtime.startswith(f"{target}://"):
        return NodePlan(node=node, action="skip", reason=f"already on {node.runtime}")
    if not node.runtime.startswith("docker://"):
        return NodePlan(node=node, action="skip", reason=f"runs {node.runtime or 'an unknown runtime'}, not Docker")
    return NodePlan(node=node, action="migrate")
