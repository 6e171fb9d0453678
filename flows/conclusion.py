"""What a run comes to: its report, or the error that says why it did not reach its end."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cri_switch.model.errors import CriSwitchError, Moved, NodeFailed, RollbackFailed, Unreachable
from cri_switch.model.node_end import RunSoFar
from cri_switch.model.report import Report


def concluded(report: Report, problem: CriSwitchError | None, so_far: RunSoFar) -> Report:
    """The report, where nothing is wrong in it and no `problem` ended the run.

    Raises:
        CriSwitchError: what ended the run early; its `report` is the report.
        Moved: the chosen nodes arrived, but the cluster's nodes are not those of the plan any more.
        Unreachable: they arrived, but the API could not be asked how they are at the end.
    """
    if problem is None and report.moved:
        problem = Moved(
            "the cluster's nodes changed since the plan: " + "; ".join(report.moved),
            state="every node of the plan is on the new runtime",
            next_step="run the same command again: it plans with the nodes that are there now",
        )
    if problem is None and report.warnings:
        problem = Unreachable("; ".join(report.warnings), next_step="run the same command again: it looks anew")
    if problem is not None:
        problem.state = problem.state or so_far.state
        problem.report = report
        raise problem
    return report


def failed(
    failures: Mapping[str, CriSwitchError | Exception], arrived: Collection[str], left: Collection[str]
) -> CriSwitchError:
    """The error of nodes that failed, `arrived` or not. Its state is for `concluded`, when all is left as it stays."""
    lines = "\n".join(f"{name}: {problem}" for name, problem in failures.items())
    again = "mend what is named above and run the same command again"
    if all(name in arrived for name in failures):
        kind = NodeFailed if left else CriSwitchError
        return kind(f"Docker's packages were not removed everywhere:\n{lines}", next_step=f"{again}: it removes them")
    return NodeFailed(
        f"not every node reached the target:\n{lines}",
        next_step=f"{first_typed(failures)}{again}: it resumes at the failed node",
    )


def first_typed(failures: Mapping[str, CriSwitchError | Exception]) -> str:
    """What must be typed before anything else, for nodes that are unhealthy."""
    return "".join(f"{each.next_step}; then " for each in failures.values() if isinstance(each, RollbackFailed))
