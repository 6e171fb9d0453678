"""Whether the credentials may do all that a migration does, asked before anything is touched."""

from __future__ import annotations

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.probe import NAMESPACE
from cri_switch.model.finding import Finding

NEEDED = (
    ("list", "", "nodes", "", ""),
    ("patch", "", "nodes", "", ""),
    ("list", "", "pods", "", ""),
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


def check_rights(cluster: Cluster) -> list[Finding]:
    """An error "MissingRight" for each right that the API denies (SelfSubjectAccessReview, open to every user)."""
    denied = []
    for right in NEEDED:
        _verb, group, resource, sub, namespace = right
        if not _allowed(cluster, right):
            what = ".".join(part for part in (f"{resource}/{sub}" if sub else resource, group) if part)
            denied.append(f"{right[0]} {what}" + (f" in {namespace}" if namespace else ""))
    if not denied:
        return []
    return [
        Finding(
            "error",
            "MissingRight",
            f"the credentials in {cluster.kubeconfig} may not: {', '.join(denied)}",
            remedy="kubectl apply -f deployments/rbac.yaml, and use its service account",
        )
    ]


def unseen_kinds(cluster: Cluster) -> list[str]:
    """Kinds of workloads that the credentials may not list."""
    return [kind for kind, right in FOR_TEMPLATES.items() if not _allowed(cluster, right)]


def _allowed(cluster: Cluster, right: tuple[str, str, str, str, str]) -> bool:
    verb, group, resource, sub, namespace = right
    wanted = {"verb": verb, "group": group, "resource": resource, "subresource": sub, "namespace": namespace}
    review = cluster.create(
        "SelfSubjectAccessReview",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": wanted},
        },
    )
    return bool(review["status"].get("allowed"))
