"""The first checks: everything is looked at, side by side, before anything is touched."""

from __future__ import annotations

from cri_switch.checks.docker_socket import check_docker_socket
from cri_switch.checks.node_state import NodeState, check_node_state
from cri_switch.cluster.rights import check_rights
from cri_switch.model.errors import CriSwitchError, PreflightError
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.facts.docker import DOCKER_IDS, docker_containers
from cri_switch.node.facts.machine import OS_RELEASE
from cri_switch.node.facts.metadata import METADATA_BLACKHOLED
from cri_switch.node.facts.packages import DOCKER, packages, policy
from cri_switch.node.facts.programs import has_program
from cri_switch.node.facts.swarm import SWARM_ACTIVE
from cri_switch.node.facts.units import units
from cri_switch.node.files import file_fact
from tasks import reach
from tasks.discover import Discovery
from tasks.look import look


@look
def check_cluster(found: Discovery, migration: Migration) -> list[Finding]:
    """What the API alone can tell: rights, names, managed nodes, who mounts Docker's socket, the backup's limits."""
    api, spec = reach.cluster(migration), migration.spec
    findings = [*found.findings, *check_rights(api)]
    if any(finding.name == "MissingRight" for finding in findings):
        return findings
    findings += check_docker_socket(api.list("Pod"), spec.allow_docker_socket)
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
def check_node(node: NodeRef, migration: Migration) -> list[Finding]:
    """One node over ssh; that it cannot be looked at is a finding too."""
    try:
        return check_node_state(
            _state(node, migration), allow_foreign_containers=migration.spec.allow_foreign_containers
        )
    except CriSwitchError as problem:
        what = problem.what if node.name in problem.what else f"{node.name}: {problem.what}"
        return [Finding("error", type(problem).__name__, what, node=node.name, remedy=problem.next_step)]


def _state(node: NodeRef, migration: Migration) -> NodeState:
    connection, spec = reach.node(node, migration), migration.spec
    system = OS_RELEASE.read(connection)
    docker = units("docker.service").read(connection)["docker.service"].active
    containers = docker_containers(DOCKER_IDS.read(connection)).read(connection) if docker else ()
    installed = packages(*DOCKER).read(connection)
    offered = policy(spec.target.package).read(connection)
    return NodeState(
        node=node.name,
        os_id=system.id,
        os_version=system.version,
        os_like=system.id_like,
        kubelet_version=node.kubelet_version,
        flags_file=spec.kubelet.flags_file,
        flags_text=file_fact(spec.kubelet.flags_file).read(connection).text,
        docker_active=docker,
        docker_package=next((p.name for p in installed.values() if p.installed), ""),
        foreign_containers=tuple(c.name for c in containers if not c.kubernetes),
        swarm_active=docker and SWARM_ACTIVE.read(connection),
        containerd_candidate=offered.installed or offered.candidate,
        crictl_present=has_program("crictl").read(connection),
        metadata_blackholed=METADATA_BLACKHOLED.read(connection),
    )


def verdict(findings: list[Finding]) -> PreflightError | None:
    """The error that a run stops with, all findings in it, or None where only warnings were found."""
    errors = [finding for finding in findings if finding.level == "error"]
    if not errors:
        return None
    return PreflightError(
        "[preflight] " + "\n".join(finding.line() for finding in findings),
        state="nothing was touched",
        next_step="mend what is named and run the same command again",
    )
