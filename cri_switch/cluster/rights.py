"""Whether the credentials may do all that a migration does, asked before anything is touched."""

from __future__ import annotations

from collections.abc import Sequence

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.probe_manifest import NAMESPACE
from cri_switch.model.finding import Finding

NEEDED = (
    ("list", "", "nodes", "", ""),
    ("patch", "", "nodes", "", ""),
    ("list", "", "pods", "", ""),
    ("list", "", "persistentvolumes", "", ""),
    ("list", "", "persistentvolumeclaims", "", ""),
    ("create", "", "pods", "eviction", ""),
    ("create", "", "pods", "", NAMESPACE),
    ("delete", "", "pods", "", NAMESPACE),
    ("list", "policy", "poddisruptionbudgets", "", ""),
    ("get", "apps", "daemonsets", "", ""),
    ("list", "apps", "daemonsets", "", ""),
    ("list", "apps", "deployments", "", ""),
    ("list", "apps", "statefulsets", "", ""),
    ("list", "apps", "replicasets", "", ""),
    ("list", "storage.k8s.io", "volumeattachments", "", ""),
    ("create", "coordination.k8s.io", "leases", "", "kube-system"),
)

FOR_TEMPLATES = {
    "Job": ("list", "batch", "jobs", "", ""),
    "CronJob": ("list", "batch", "cronjobs", "", ""),
    "ReplicationController": ("list", "", "replicationcontrollers", "", ""),
}
"""Kinds that only the preflight lists: without the right they are not looked at, and that is told."""


def check_rights(cluster: Cluster, held: Sequence[str] = ()) -> list[Finding]:
    """An error "MissingRight" for each right that the API denies (SelfSubjectAccessReview, open to every user).

    `held` are the DaemonSets that will be changed, as namespace/name: deployments/rbac.yaml gives that right to none,
    because who may change a DaemonSet is root on every node.
    """
    denied = []
    for right in NEEDED:
        _verb, group, resource, sub, namespace = right
        if not _allowed(cluster, right):
            what = ".".join(part for part in (f"{resource}/{sub}" if sub else resource, group) if part)
            denied.append(f"{right[0]} {what}" + (f" in {namespace}" if namespace else ""))
    findings = [_hold_denied(cluster, each) for each in held if not _may_hold(cluster, each)]
    if denied:
        what = f"the credentials in {cluster.kubeconfig} may not: {', '.join(denied)}"
        remedy = "kubectl apply -f deployments/rbac.yaml, and use its service account"
        findings.insert(0, Finding("error", "MissingRight", what, remedy=remedy))
    return findings


def _may_hold(cluster: Cluster, daemonset: str) -> bool:
    namespace, _, name = daemonset.partition("/")
    return _allowed(cluster, ("patch", "apps", "daemonsets", "", namespace), name)


def _hold_denied(cluster: Cluster, daemonset: str) -> Finding:
    namespace, _, name = daemonset.partition("/")
    role = f"cri-switch-hold-{name}"
    return Finding(
        "error",
        "MissingRight",
        f"the credentials in {cluster.kubeconfig} may not: patch daemonsets.apps {name} in {namespace}"
        " (spec.hold_daemonsets)",
        object=daemonset,
        remedy=f"kubectl -n {namespace} create role {role} --verb=patch --resource=daemonsets.apps"
        f" --resource-name={name}; kubectl -n {namespace} create rolebinding {role} --role={role}"
        " --serviceaccount=cri-switch:cri-switch",
    )


def unseen_kinds(cluster: Cluster) -> list[str]:
    """Kinds of workloads that the credentials may not list."""
    return [kind for kind, right in FOR_TEMPLATES.items() if not _allowed(cluster, right)]


def _allowed(cluster: Cluster, right: tuple[str, str, str, str, str], name: str = "") -> bool:
    verb, group, resource, sub, namespace = right
    wanted = {"verb": verb, "group": group, "resource": resource, "subresource": sub, "namespace": namespace}
    if name:
        wanted["name"] = name
    review = cluster.ask(
        "SelfSubjectAccessReview",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": wanted},
        },
    )
    return bool(review["status"].get("allowed"))
