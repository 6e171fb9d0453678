"""What the cluster's workloads have against a migration, by the API alone."""

from __future__ import annotations

from collections.abc import Collection

from cri_switch.checks.budgets import check_budgets
from cri_switch.checks.capacity import check_capacity
from cri_switch.checks.docker_socket import check_docker_socket
from cri_switch.checks.drain import check_drain
from cri_switch.checks.mounted import claimed_paths
from cri_switch.checks.names import check_held
from cri_switch.checks.node_fit import tied_volumes
from cri_switch.checks.owner import owners
from cri_switch.checks.pods import drained
from cri_switch.checks.stays_cordoned import check_stays_cordoned
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.cordon import cordoned_by
from cri_switch.cluster.mark import marked
from cri_switch.cluster.pods import title
from cri_switch.cluster.rights import unseen_kinds
from cri_switch.cluster.workload_objects import KINDS, workload_objects
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan


def workload_findings(
    api: Cluster, plan: Plan, migration: Migration, data_roots: Collection[str] = ()
) -> list[Finding]:
    """Who uses the node's Docker, what the drains would meet, whether the batches' pods fit elsewhere.

    `data_roots` are where the nodes have Docker's data.
    """
    spec, unseen = migration.spec, unseen_kinds(api)
    findings = []
    if unseen:
        findings.append(
            Finding(
                "warning",
                "TemplatesNotChecked",
                f"the credentials may not list {', '.join(unseen)}: what these would start is not checked",
                remedy="kubectl apply -f deployments/rbac.yaml (of this version)",
            )
        )
    pods = api.list("Pod")
    objects = workload_objects(api, [kind for kind in KINDS if kind not in unseen])
    claims, volumes = api.list("PersistentVolumeClaim"), api.list("PersistentVolume")
    findings += check_docker_socket(pods, spec.allow_docker_socket, objects, claimed_paths(claims, volumes), data_roots)
    leaving = drained(pods, {node.name for node in plan.todo})
    if spec.drain.pod_selector:
        chosen = {pod["metadata"]["uid"] for pod in api.list("Pod", labels=spec.drain.pod_selector)}
        leaving = [pod for pod in leaving if pod["metadata"]["uid"] in chosen]
    budgets = api.list("PodDisruptionBudget")
    findings += check_drain(leaving, objects, owners(objects), spec.drain)
    findings += check_budgets(leaving, budgets, disable_eviction=spec.drain.disable_eviction)
    daemonsets = [title(each) for each in objects if each["kind"] == "DaemonSet"]
    findings += check_held(spec.hold_daemonsets, daemonsets)
    batches = [[node.name for node in batch] for batch in plan.batches]
    tied = tied_volumes(claims, volumes)
    nodes = api.list("Node")
    findings += check_stays_cordoned([node.name for node in plan.todo], _held(nodes, plan), nodes, pods, tied)
    return [*findings, *check_capacity(batches, nodes, pods, tied)]


def _held(nodes: list[Obj], plan: Plan) -> set[str]:
    """Nodes that an administrator has cordoned: not a migration, of which the Lease tells."""
    cordoned = [node for node in nodes if (node.get("spec") or {}).get("unschedulable") and not cordoned_by(node)]
    return {node["metadata"]["name"] for node in cordoned if not any(marked(node, plan.migration_id))}
