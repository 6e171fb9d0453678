"""Nodes whose runtime is the provider's business: GKE, EKS, AKS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cri_switch.model.finding import Finding

_PROVIDERS = (
    ("GKE", "gce://", ("cloud.google.com/gke-nodepool", "cloud.google.com/gke-os-distribution")),
    (
        "EKS",
        "aws://",
        ("eks.amazonaws.com/nodegroup", "eks.amazonaws.com/compute-type", "alpha.eksctl.io/nodegroup-name"),
    ),
    ("AKS", "azure://", ("kubernetes.azure.com/cluster", "kubernetes.azure.com/agentpool")),
)


def check_managed(nodes: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """One error for each managed node; `nodes` are the API's JSON.

    The provider's own label decides, and its providerID must not say otherwise: a kubeadm node on a cloud's machine
    has the providerID, but not the label.
    """
    findings = []
    for node in nodes:
        labels = node["metadata"].get("labels") or {}
        provider_id = (node.get("spec") or {}).get("providerID") or ""
        for provider, scheme, names in _PROVIDERS:
            label = next((name for name in names if name in labels), None)
            if label and (not provider_id or provider_id.startswith(scheme)):
                findings.append(_finding(node["metadata"]["name"], provider, label))
    return findings


def _finding(node: str, provider: str, label: str) -> Finding:
    return Finding(
        level="error",
        name="ManagedNode",
        summary=f"{node} is a managed node of {provider} (label {label}): the provider switches its runtime",
        node=node,
        object=f"Node/{node}",
        remedy=f"nothing to do here: use {provider}'s own tools, or leave the node out by nodes.exclude",
    )
