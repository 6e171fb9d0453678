"""Reports as tables like kubectl's: one line a row, columns by three spaces, never cut, never wrapped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cri_switch.model.plan import Plan
from cri_switch.model.report import NodeReport, Report
from cri_switch.render.diff import unified

NONE = "<none>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows under their titles; an empty cell is `<none>`, a line break in one becomes a space."""
    cells = [list(head), *([" ".join(cell.split()) or NONE for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def plan_diff(plan: Plan) -> str:
    """Every file that would change as `diff -u`, equal changes of several nodes once."""
    return "\n".join(
        f"# {change.path} on {', '.join(change.nodes)}\n{unified(change.path, change.before, change.after)}"
        for change in plan.files
    )


def report_table(report: Report) -> str:
    """Like `kubectl get nodes -o wide`, with the runtime before and after; then seconds per step; then the rest."""
    rows = [
        [
            node.name,
            node.role,
            node.kubelet_version,
            node.runtime_before,
            node.runtime_after,
            node.outcome,
            _seconds(node.out_of_service_seconds),
            _seconds(node.cordoned_seconds),
            node.reason,
        ]
        for node in report.nodes
    ]
    head = ["NAME", "ROLES", "VERSION", "BEFORE", "AFTER", "OUTCOME", "OUT-OF-SERVICE", "CORDONED", "REASON"]
    parts = [table(head, rows)]
    timed = [node for node in report.nodes if node.steps]
    if timed:
        parts.append(steps_table(timed))
    parts += [f"The cluster changed: {line}" for line in report.moved]
    parts += [f"Warning: {line}" for line in report.warnings]
    parts += [f"Backup: {report.backup}"] if report.backup else []
    return "\n\n".join(parts[:2]) + "".join(f"\n{line}" for line in parts[2:]) if timed else "\n".join(parts)


def steps_table(nodes: Sequence[NodeReport]) -> str:
    """Seconds per step: a row a step, a column a node."""
    names = list(dict.fromkeys(step for node in nodes for step in node.steps))
    rows = [[name, *(_seconds(node.steps.get(name)) for node in nodes)] for name in names]
    return table(["STEP", *(node.name for node in nodes)], rows)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}s"
