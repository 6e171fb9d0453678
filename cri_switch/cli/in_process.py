"""A flow run in this process, and its answer shown."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from cri_switch.cli import talk
from cri_switch.cli.engine import prepare, quieten
from cri_switch.cli.tables import plan_diff, plan_table, report_table
from cri_switch.model.errors import CriSwitchError
from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan
from cri_switch.model.report import Report

Answer = TypeVar("Answer")


def run_flow(flow: Callable[[Migration], object], migration: Migration, kind: type[Answer], debug: bool) -> Answer:
    """The flow's answer; call `prepare` before the flow is imported."""
    if not debug:
        quieten()
    answer = flow(migration)
    if not isinstance(answer, kind):
        raise TypeError(f"the flow answered {answer!r}, which is no {kind.__name__}")
    return answer


def show_plan(migration: Migration, output: talk.Output, debug: bool, *, diff: bool = False) -> None:
    """The flow plan-cluster, and its plan on stdout."""
    prepare()
    from flows.plan_cluster import plan_cluster  # noqa: PLC0415

    found = run_flow(partial(plan_cluster, diff=diff), migration, Plan, debug)
    talk.show(found, "\n\n".join([plan_table(found), *([plan_diff(found)] if found.files else [])]), output)


def show_reported(
    flow: Callable[[Migration], object], migration: Migration, output: talk.Output, debug: bool, *, file: str
) -> None:
    """A flow that ends with a report, which is on stdout also where the flow fails.

    The next command of an error names this settings file where a flow, which does not know it, said FILE.
    """
    try:
        report = run_flow(flow, migration, Report, debug)
    except CriSwitchError as problem:
        problem.what = _literal(problem.what, file)
        problem.next_step = _literal(problem.next_step, file)
        if isinstance(problem.report, Report):
            for node in problem.report.nodes:
                node.reason = _literal(node.reason, file)
            talk.show(problem.report, report_table(problem.report), output)
        raise
    talk.show(report, report_table(report), output)


def _literal(text: str, file: str) -> str:
    return text.replace(" -f FILE", f" -f {shlex.quote(file)}")
