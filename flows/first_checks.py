"""Preflight of the whole cluster: the API once, every chosen node side by side, reported together."""

from __future__ import annotations

from dataclasses import dataclass, field

from prefect import get_run_logger

from cri_switch.checks.ignored import ignore
from cri_switch.checks.versions import check_versions
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.render.findings import finding_lines
from flows.side_by_side import side_by_side
from tasks.discover import Discovery
from tasks.preflight import LookedAt, check_cluster, check_node, verdict
from tasks.report import publish_findings

_AT_ONCE = 16


@dataclass
class Looked:
    """All findings; per node that would be switched its runtime then (version, source) and its files' sha256."""

    findings: list[Finding]
    runtimes: dict[str, tuple[str, str]] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)


def look_first(found: Discovery, plan: Plan, migration: Migration) -> Looked:
    """Every check, its findings also as an artifact; those that the settings ignore are warnings."""

    def one(node: NodeRef) -> LookedAt:
        return check_node(node, migration, plan.half_done)

    looked, roots = Looked([]), set[str]()
    for node, answer in side_by_side(one, plan.todo, at_once=_AT_ONCE):
        if isinstance(answer, Exception):
            raise answer
        looked.findings += answer.findings
        looked.runtimes[node.name] = answer.runtime
        looked.files[node.name] = answer.files
        roots |= {answer.docker_root} - {""}
    looked.findings = [*check_cluster(found, plan, migration, sorted(roots)), *looked.findings]
    looked.findings += check_versions(looked.runtimes)
    looked.findings = ignore(looked.findings, migration.spec.ignore_preflight_errors)
    publish_findings(migration.metadata.name, looked.findings)
    return looked


def first_checks(found: Discovery, plan: Plan, migration: Migration) -> Looked:
    """The same, warnings logged.

    Raises:
        PreflightError: at least one is an error; nothing was touched. All findings are its `report`.
    """
    looked = look_first(found, plan, migration)
    problem = verdict(looked.findings)
    if problem is not None:
        raise problem
    if looked.findings:
        get_run_logger().warning("\n".join(["[preflight]", *finding_lines(looked.findings)]))
    return looked
