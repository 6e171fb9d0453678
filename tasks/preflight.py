"""The first checks: everything is looked at, side by side, before anything is touched."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from cri_switch.checks.control_plane import check_control_plane, check_outage
from cri_switch.checks.ignored import check_ignored
from cri_switch.checks.inventory import check_inventory, check_machine_id
from cri_switch.checks.node_state import check_node_state
from cri_switch.checks.orchestrator import check_orchestrator
from cri_switch.checks.runtimes import check_runtimes
from cri_switch.cluster.rights import check_rights
from cri_switch.model.errors import PreflightError, Unreachable
from cri_switch.model.finding import Finding, Findings
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan, chosen
from cri_switch.node.inventory_file import inventory_hosts
from cri_switch.render.findings import findings_text
from tasks import reach
from tasks.control_plane_state import control_plane_state
from tasks.discover import Discovery
from tasks.guarded import Guarded
from tasks.look import look
from tasks.node_state import Reading
from tasks.orchestrator import here
from tasks.workload_findings import workload_findings


@dataclass(frozen=True)
class LookedAt:
    """What was found on a node, the runtime that it would run as (version, source), the sha256 of files by path, and
    where Docker's data are ("": not told).
    """

    findings: list[Finding]
    runtime: tuple[str, str] = ("", "")
    files: dict[str, str] = field(default_factory=dict)
    docker_root: str = ""


@look
def check_cluster(
    found: Discovery, plan: Plan, migration: Migration, data_roots: Collection[str] = ()
) -> list[Finding]:
    """What the API can tell: rights, names, managed nodes, who uses Docker, the drains, the backup's limits.

    `data_roots` are where the nodes have Docker's data.
    """
    api, spec = reach.cluster(migration), migration.spec
    findings = [*found.findings, *check_ignored(spec.ignore_preflight_errors), *check_rights(api, spec.hold_daemonsets)]
    wanted = [node for node in found.nodes if chosen(node, spec, selected=node.name in found.selected)]
    findings += check_runtimes([node for node in wanted if node.name not in found.half_done], plan.target)
    if spec.ssh.inventory:
        findings += check_inventory(inventory_hosts(spec.ssh.inventory), found.nodes)
    if not any(finding.name == "MissingRight" and "list " in finding.summary for finding in findings):
        findings += workload_findings(api, plan, migration, data_roots)
    findings += check_outage(found.nodes, plan.todo)
    findings += check_orchestrator(here(api), api.list("Node"))
    if not (spec.backup.skip or spec.backup.acknowledge_not_backed_up):
        findings.append(
            Finding(
                "error",
                "BackupNotAcknowledged",
                "the backup holds etcd, the PKI and the nodes' files, but no volumes and no hostPath data",
                remedy="back those up yourself, then set spec.backup.acknowledge_not_backed_up: true",
            )
        )
    return findings


@look
def check_node(node: NodeRef, migration: Migration, half_done: frozenset[str] = frozenset()) -> LookedAt:
    """One node over ssh; that it cannot be looked at is a finding too. `half_done` are the nodes that go on first."""
    guarded, looked = Guarded(), LookedAt([])
    try:
        reading = guarded.attempt(
            "its files and units", lambda: Reading(reach.node(node, migration), node, migration, guarded), None
        )
        if reading is not None:
            looked = _judged(reading, migration, guarded, half_done)
    except Unreachable as problem:
        guarded.problems.append(problem)
    return replace(looked, findings=[*looked.findings, *guarded.findings(node.name)])


def _judged(reading: Reading, migration: Migration, guarded: Guarded, half_done: frozenset[str]) -> LookedAt:
    """What the checks say of a node that can be read."""
    if wrong := check_machine_id(reading.node, reading.machine_id):
        return LookedAt(wrong)
    state = reading.state()
    findings = check_node_state(state, allow_foreign_containers=migration.spec.allow_foreign_containers)
    if reading.node.role == "control-plane":
        found = control_plane_state(reading, migration, guarded, half_done)
        findings += check_control_plane(found, backup=not migration.spec.backup.skip, half_done=half_done)
    runtime = (state.containerd_candidate, state.containerd_source)
    return LookedAt(findings, runtime, reading.hashes(), state.docker_root)


def verdict(findings: list[Finding]) -> PreflightError | None:
    """The error that a run stops with, all findings in it and as its `report`; None where only warnings were found."""
    if not any(finding.level == "error" for finding in findings):
        return None
    problem = PreflightError(
        findings_text(findings),
        state="nothing was touched",
        next_step="mend what is named and run the same command again",
    )
    problem.report = Findings(findings=tuple(findings))
    return problem
