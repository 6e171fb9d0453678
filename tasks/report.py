"""The report of a run: an artifact in the UI, a table in the log."""

from __future__ import annotations

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from cri_switch.model.finding import Finding
from cri_switch.model.plan import Plan
from cri_switch.model.report import NodeReport, Report
from cri_switch.render.diff import unified
from tasks.look import look


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _row(node: NodeReport) -> list[str]:
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in node.steps.items())
    return [
        node.name,
        node.role,
        node.kubelet_version,
        node.runtime_before,
        node.runtime_after,
        node.outcome,
        _seconds(node.out_of_service_seconds),
        _seconds(node.cordoned_seconds),
        steps or node.reason,
    ]


HEAD = ["NAME", "ROLES", "VERSION", "BEFORE", "AFTER", "OUTCOME", "OUT-OF-SERVICE", "CORDONED", "STEPS (s)"]


def markdown(report: Report) -> str:
    """The report as a page."""
    lines = [f"# Migration {report.migration} to {report.target}", ""]
    lines += ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    lines += [
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in _row(n)) + " |" for n in report.nodes
    ]
    if report.moved:
        lines += ["", "## The cluster changed meanwhile", *[f"- {line}" for line in report.moved]]
    if report.warnings:
        lines += ["", "## Warnings", *[f"- {line}" for line in report.warnings]]
    if report.approvals:
        lines += ["", "## Approvals", *[f"- {each.point}: {each.by}, {each.at}" for each in report.approvals]]
    if report.backup:
        lines += ["", f"Backup: `{report.backup}`"]
    return "\n".join(lines)


@look
def publish_plan(name: str, plan: Plan) -> None:
    """The plan as an artifact."""
    rows = [
        {"NAME": n.node.name, "ROLES": n.node.role, "RUNTIME": n.node.runtime, "ACTION": n.action, "REASON": n.reason}
        for n in plan.nodes
    ]
    create_table_artifact(rows, key=f"plan-{name}", description=plan.summary)


@look
def publish_diff(name: str, plan: Plan) -> None:
    """Every file that would change as an artifact, equal changes of several nodes once."""
    parts = [f"# What would change: {name}"]
    for change in plan.files:
        diff = unified(change.path, change.before, change.after)
        parts += [f"## {change.path} on {', '.join(change.nodes)}", f"```diff\n{diff}```"]
    create_markdown_artifact("\n\n".join(parts), key=f"diff-{name}")


@look
def publish_findings(name: str, findings: list[Finding]) -> None:
    """The findings as an artifact, errors first."""
    lines = [f"# Preflight of {name}", ""]
    for f in sorted(findings, key=lambda f: f.level):
        lines += [f"- `{f.level.upper()} {f.name}` {f.summary}", *([f"  - fix: {f.remedy}"] if f.remedy else [])]
    create_markdown_artifact("\n".join(lines if findings else [*lines, "Nothing found."]), key=f"preflight-{name}")


@look
def publish(report: Report) -> Report:
    """Show it: an artifact under the migration's name, and one line a node in the log."""
    create_markdown_artifact(markdown(report), key=f"report-{report.migration}", description="cri-switch report")
    logger = get_run_logger()
    for node in report.nodes:
        out = _seconds(node.out_of_service_seconds)
        logger.info(
            "node=%s %s -> %s %s%s%s",
            node.name,
            node.runtime_before,
            node.runtime_after or "?",
            node.outcome,
            f", out of service {out} s" if out else "",
            f" ({node.reason})" if node.reason else "",
        )
    return report
