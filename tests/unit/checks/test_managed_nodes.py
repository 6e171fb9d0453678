from __future__ import annotations

from typing import Any

import pytest

from cri_switch.checks.managed_nodes import check_managed


def node(provider_id: str, *labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "n1", "labels": dict.fromkeys(labels, "x")}, "spec": {"providerID": provider_id}}


@pytest.mark.parametrize(
    ("provider_id", "label", "provider"),
    [
        ("gce://project/zone/name", "cloud.google.com/gke-nodepool", "GKE"),
        ("aws:///eu-west-1a/i-0", "eks.amazonaws.com/nodegroup", "EKS"),
        ("aws:///eu-west-1a/i-0", "alpha.eksctl.io/nodegroup-name", "EKS"),
        ("azure:///subscriptions/x", "kubernetes.azure.com/cluster", "AKS"),
        ("azure:///subscriptions/x", "kubernetes.azure.com/agentpool", "AKS"),
        ("", "eks.amazonaws.com/nodegroup", "EKS"),
    ],
)
def test_managed(provider_id: str, label: str, provider: str) -> None:
    (finding,) = check_managed([node(provider_id, label)])
    assert (finding.level, finding.name, finding.node) == ("error", "ManagedNode", "n1")
    assert provider in finding.summary
    assert "nothing to do here" in finding.remedy


@pytest.mark.parametrize(
    ("provider_id", "labels"),
    [
        ("aws:///eu-west-1a/i-0", ("topology.kubernetes.io/zone",)),
        ("gce://project/zone/name", ()),
        ("azure:///subscriptions/x", ("kubernetes.azure.com/managed",)),
        ("openstack:///x", ("eks.amazonaws.com/nodegroup",)),
        ("", ()),
    ],
)
def test_a_cloud_machine_of_kubeadm_is_not(provider_id: str, labels: tuple[str, ...]) -> None:
    assert check_managed([node(provider_id, *labels)]) == []


def test_no_spec_no_labels() -> None:
    assert check_managed([{"metadata": {"name": "n"}}]) == []
