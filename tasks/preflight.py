"""The first checks: everything is looked at, side by side, before anything is touched."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from cri_switch.checks.control_plane import ControlPlaneState, check_control_plane, check_outage
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
from cri_switch.node.facts.certificates import certificates
from cri_switch.node.facts.etcd import MANIFEST, parse_etcd_manifest
from cri_switch.node.facts.etcdctl import etcd_members, etcd_status
from cri_switch.node.inventory_file import inventory_hosts
from cri_switch.render.errors import RenderError
from cri_switch.render.findings import findings_text
from tasks import reach
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
        found = _control_plane(reading, migration, guarded, half_done)
        findings += check_control_plane(found, backup=not migration.spec.backup.skip, half_done=half_done)
    runtime = (state.containerd_candidate, state.containerd_source)
    return LookedAt(findings, runtime, reading.hashes(), state.docker_root)


def _control_plane(
    reading: Reading, migration: Migration, guarded: Guarded, half_done: frozenset[str]
) -> ControlPlaneState:
    """etcd is asked in Docker's container; where Docker does not run any more, the run's own gates ask it."""
    name, text = reading.node.name, reading.texts.get(MANIFEST)
    ends = tuple(
        (each.path, each.subject, each.not_after) for each in guarded.ask(certificates(), reading.connection, ())
    )
    state = ControlPlaneState(name, time.time(), local_etcd=text is not None, certificates=ends)
    if text is None or reading.containers is None:
        return state
    ids = [
        each.id
        for each in reading.containers
        if each.running and each.container_name == "etcd" and each.pod.startswith("kube-system/")
    ]
    if not ids:
        return state if name in half_done else replace(state, answered=0, problem="its container does not run")
    return guarded.attempt("etcd", lambda: _with_etcd(state, reading, text, ids[0], migration), state)


def _with_etcd(
    state: ControlPlaneState, reading: Reading, text: str, container: str, migration: Migration
) -> ControlPlaneState:
    try:
        pod = parse_etcd_manifest(text)
    except ValueError as problem:
        raise RenderError(MANIFEST, 0, str(problem)) from problem
    found = etcd_status(container, pod).read(reading.connection)
    names = etcd_members(container, pod).read(reading.connection)
    answered = {member.id for member in found.members}
    room = reading.room.get("/var/lib/etcd")
    return replace(
        state,
        members=len(names),
        learners=sum(member.learner for member in found.members),
        answered=len(found.members),
        missing=tuple(sorted(name for one, name in names.items() if one not in answered)),
        problem=found.problem,
        alarms=tuple(word for member in found.members for word in member.errors),
        db_size=max((member.db_size for member in found.members), default=0),
        etcd_free=room.free if room and pod.host_data_dir.startswith("/var/lib/etcd") else None,
        backup_free=_free(migration.spec.backup.directory),
    )


def _free(directory: str) -> int | None:
    """Room for the backup here, on the filesystem of the nearest directory above that is there."""
    path = Path(directory).expanduser().absolute()
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free if os.access(path, os.X_OK) else None


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
