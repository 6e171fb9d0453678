"""Preflight of the whole cluster: the API once, every chosen node side by side, reported together."""

from __future__ import annotations

from prefect import get_run_logger

from cri_switch.model.finding import Finding
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from flows.side_by_side import side_by_side
from tasks.discover import Discovery
from tasks.preflight import check_cluster, check_node, verdict
from tasks.report import publish_findings

_AT_ONCE = 16


def first_checks(found: Discovery, plan: Plan, migration: Migration) -> list[Finding]:
    """All findings; warnings are logged.

    Raises:
        PreflightError: at least one is an error; nothing was touched.
    """

    def one(node: NodeRef) -> list[Finding]:
        return check_node(node, migration)

    findings = check_cluster(found, migration)
    for _node, answer in side_by_side(one, plan.todo, at_once=_AT_ONCE):
        if isinstance(answer, Exception):
            raise answer
        findings += answer
    publish_findings(migration.metadata.name, findings)
    for finding in findings:
        if finding.level == "warning":
            get_run_logger().warning(finding.line())
    problem = verdict(findings)
    if problem is not None:
        raise problem
    return findings
