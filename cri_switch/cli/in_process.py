"""A flow run in this process, and its answer shown."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from cri_switch.cli import talk
from cri_switch.cli.engine import SERVER_LEVEL, escape, prepare, quieten, quieten_server
from cri_switch.cli.plan_text import plan_text
from cri_switch.cli.tables import report_table
from cri_switch.model.errors import CriSwitchError, PreflightError
from cri_switch.model.finding import Finding, Findings
from cri_switch.model.migration import Migration
from cri_switch.model.planned_run import PlannedRun
from cri_switch.model.report import Report

Answer = TypeVar("Answer")


def run_flow(flow: Callable[[Migration], object], migration: Migration, kind: type[Answer], debug: bool) -> Answer:
    """The flow's answer; call `prepare` before the flow is imported."""
    quieten_server()
    escape()
    if not debug:
        quieten()
    try:
        answer = flow(migration)
    except RuntimeError as problem:
        if "ephemeral Prefect API server" not in str(problem):
            raise
        raise CriSwitchError(
            f"Prefect's server inside this process did not start: {problem}",
            state="nothing was touched",
            next_step="run it again when the machine is less busy, or with a longer"
            " PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS, or with a server of its own (PREFECT_API_URL);"
            f" {SERVER_LEVEL}=ERROR shows what it says",
        ) from problem
    if not isinstance(answer, kind):
        raise TypeError(f"the flow answered {answer!r}, which is no {kind.__name__}")
    return answer


def planned(migration: Migration, debug: bool, command: str, mended: str, *, diff: bool = False) -> PlannedRun:
    """The flow plan-cluster, also where errors stand in the way.

    `command` is what to type next where none does, `mended` once they are mended.
    """
    prepare()
    from flows.plan_cluster import plan_cluster  # noqa: PLC0415

    try:
        found = run_flow(partial(plan_cluster, diff=diff), migration, PlannedRun, debug)
    except PreflightError as problem:
        if not isinstance(problem.report, PlannedRun):
            raise
        return problem.report.model_copy(update={"next_command": mended})
    return found.model_copy(update={"next_command": command if found.todo or found.finished_before else ""})


def show_plan(found: PlannedRun, output: talk.Output) -> None:
    """The plan on stdout.

    Raises:
        PreflightError: errors stand in the way.
    """
    talk.show(found, plan_text(found), output)
    refuse_errors(found.findings, found.next_command)


def refuse_errors(findings: Iterable[Finding], command: str = "") -> None:
    """Raise PreflightError, the findings themselves being on stdout already; `command` is for when they are mended."""
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        names = ", ".join(sorted({finding.name for finding in errors}))
        count = "1 error stands" if len(errors) == 1 else f"{len(errors)} errors stand"
        raise PreflightError(
            f"{count} in the way: {names}",
            state="nothing was touched",
            next_step=f"mend what is named, then: {command}"
            if command
            else "mend what is named and run the same command again",
        )


def show_reported(
    flow: Callable[[Migration], object], migration: Migration, output: talk.Output, debug: bool, *, file: str
) -> None:
    """A flow that ends with a report, which is on stdout also where the flow fails.

    Where preflight stopped it, JSON and YAML are the findings, as `preflight` shows them; as text the error has them.
    The next command of an error names this settings file where a flow, which does not know it, said FILE.
    """
    try:
        report = run_flow(flow, migration, Report, debug)
    except CriSwitchError as problem:
        problem.what = _literal(problem.what, file)
        problem.state = _literal(problem.state, file)
        problem.next_step = _literal(problem.next_step, file)
        if isinstance(problem.report, Report):
            for node in problem.report.nodes:
                node.reason = _literal(node.reason, file)
            talk.show(problem.report, report_table(problem.report), output)
        elif isinstance(problem.report, Findings) and output != "table":
            talk.show(problem.report, "", output)
        raise
    talk.show(report, report_table(report), output)


def _literal(text: str, file: str) -> str:
    return text.replace(" -f FILE", f" -f {shlex.quote(file)}")
