"""How a run leaves each node: migrated, back on Docker, untouched, or half done, and then where."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cri_switch.model.errors import CriSwitchError, RollbackFailed
from cri_switch.model.plan import NodePlan, Plan
from cri_switch.model.report import Outcome

_REMOVAL = "remove_docker (not finished)"


@dataclass(frozen=True)
class NodeEnd:
    """`left` says where a node that is half done, or whose Docker is being removed, was left: `at drain (done)`."""

    outcome: Outcome
    reason: str = ""
    left: str = ""


@dataclass(frozen=True)
class RunSoFar:
    """What is known of a run: which nodes have arrived, why others have not, the last step of each in this process.

    `cordoned` are those that were cordoned with their batch and have not been freed.
    """

    plan: Plan
    arrived: Collection[str]
    failures: Mapping[str, Exception]
    stands: Mapping[str, str]
    cordoned: Collection[str] = ()
    dry_run: bool = False

    def begun(self, name: str) -> bool:
        """Whether a step that touches the node has begun in this process, and was not undone."""
        return self.stands.get(name, "stage").split()[0] != "stage"

    @property
    def only_cordoned(self) -> list[str]:
        """Nodes of a batch that was cordoned which no step has come to, in this run or one before."""
        return [
            entry.node.name
            for entry in self.plan.nodes
            if entry.node.name in self.cordoned
            and entry.node.name not in self.arrived
            and entry.action != "resume"
            and not self.begun(entry.node.name)
            and not rolled_back(self.failures.get(entry.node.name))
        ]

    @property
    def lefts(self) -> list[str]:
        """A line for each node that is neither at its beginning nor at its end."""
        return [f"{name} is left {end.left}" for name, end in self.ends.items() if end.left]

    @property
    def ends(self) -> dict[str, NodeEnd]:
        """How each node that the run meant to touch is left."""
        todo = {node.name for node in (*self.plan.todo, *self.plan.finished_before)}
        return {entry.node.name: self._end(entry) for entry in self.plan.nodes if entry.node.name in todo}

    @property
    def state(self) -> str:
        """All of it in a line, for the error that ends the run."""
        if self.dry_run:
            return "nothing was touched: it was a dry run"
        ends = self.ends
        before = [node.name for node in self.plan.finished_before]

        def those(outcome: Outcome) -> str:
            return ", ".join(node.name for node in self.plan.todo if ends[node.name].outcome == outcome)

        parts = [f"migrated: {', '.join(self.arrived) or 'none'}"]
        parts += [f"migrated by an earlier run: {', '.join(before)}"] if before else []
        parts += [f"unhealthy: {those('unhealthy')}"] if those("unhealthy") else []
        parts += [f"back on Docker: {those('rolled-back')}"] if those("rolled-back") else []
        parts += self.lefts
        return "; ".join([*parts, f"untouched: {those('untouched') or 'none'}"])

    def _end(self, entry: NodePlan) -> NodeEnd:
        name = entry.node.name
        problem, step = self.failures.get(name), self.stands.get(name, "")
        why = "" if problem is None else str(problem)
        if name in self.arrived or entry.remove_docker:
            left = f"at {step}" if step == _REMOVAL else ""
            reason = f"Docker's packages: {why or f'left {left}; the next run goes on here'}" if why or left else ""
            return NodeEnd("migrated" if name in self.arrived else "skipped", reason, left)
        if self.dry_run:
            return NodeEnd("failed" if why else "untouched", why)
        if isinstance(problem, RollbackFailed):
            return NodeEnd("unhealthy", why)
        if rolled_back(problem):
            return NodeEnd("rolled-back", why)
        left = self._left(entry)
        if left:
            return NodeEnd(
                "half-done", "\n".join([*([why] if why else []), f"left {left}; the next run goes on here"]), left
            )
        return NodeEnd("untouched", why)

    def _left(self, entry: NodePlan) -> str:
        name = entry.node.name
        if self.begun(name):
            return f"at {self.stands[name]}"
        if entry.action == "resume":
            return "half done by an earlier run"
        return "cordoned, not begun" if name in self.cordoned else ""


def rolled_back(problem: Exception | None) -> bool:
    """Whether the node on which it happened is back on Docker."""
    return isinstance(problem, CriSwitchError) and problem.rolled_back
