"""Inventory, cordon, taint, annotation: what is patched, and on whose node."""

from __future__ import annotations

from typing import Any

import pytest

from cri_switch.cluster.annotate import CRI_SOCKET, annotate_cri_socket
from cri_switch.cluster.cordon import CORDONED_BY, cordon, cordoned_by, uncordon
from cri_switch.cluster.inventory import inventory, moved, node_ref
from cri_switch.cluster.taint import WAITING, add_waiting_taint, remove_waiting_taint
from cri_switch.cluster.transport import Answer, Request
from cri_switch.model.errors import ApiError, Moved
from cri_switch.model.node_ref import NodeRef
from tests.unit.cluster.fake_api import FakeApi, add_node, cluster


def spec(api: FakeApi, name: str = "w1") -> dict[str, Any]:
    value: dict[str, Any] = api.objects["nodes", "", name]["spec"]
    return value


def annotations_(api: FakeApi, name: str = "w1") -> dict[str, str]:
    return api.objects["nodes", "", name]["metadata"].get("annotations") or {}


@pytest.mark.parametrize(
    ("labels", "role"),
    [
        ({"node-role.kubernetes.io/master": ""}, "control-plane"),
        ({"node-role.kubernetes.io/control-plane": ""}, "control-plane"),
        ({"node-role.kubernetes.io/worker": ""}, "worker"),
        ({}, "worker"),
    ],
)
def test_node_ref(labels: dict[str, str], role: str) -> None:
    node = {
        "metadata": {"name": "n", "uid": "u", "labels": labels},
        "spec": {"podCIDR": "10.244.1.0/24", "unschedulable": True},
        "status": {
            "addresses": [
                {"type": "Hostname", "address": "n"},
                {"type": "InternalIP", "address": "10.0.0.7"},
                {"type": "InternalIP", "address": "fd00::7"},
            ],
            "nodeInfo": {"kubeletVersion": "v1.20.2", "containerRuntimeVersion": "docker://20.10.5"},
        },
    }
    assert node_ref(node) == NodeRef(
        name="n",
        uid="u",
        address="10.0.0.7",
        role=role,
        kubelet_version="v1.20.2",
        runtime="docker://20.10.5",
        unschedulable=True,
        pod_cidrs=("10.244.1.0/24",),
    )


def test_inventory_is_sorted_and_never_empty() -> None:
    api = FakeApi()
    with pytest.raises(ApiError, match="no nodes"):
        inventory(cluster(api))
    for name in ("w2", "cp1", "w1"):
        add_node(api, name)
    assert [node.name for node in inventory(cluster(api))] == ["cp1", "w1", "w2"]


def test_moved() -> None:
    before = [NodeRef(name=n, uid=f"u-{n}") for n in ("a", "b", "c")]
    now = [NodeRef(name="a", uid="u-a"), NodeRef(name="b", uid="u-new"), NodeRef(name="d", uid="u-d")]
    assert moved(before, now) == [
        "node b was re-created since the plan (UID u-new, planned u-b)",
        "node c left since the plan",
        "node d joined since the plan",
    ]
    assert moved(before, before) == []


def test_cordon_and_uncordon() -> None:
    api = FakeApi()
    node = add_node(api)
    api.objects["nodes", "", "w1"]["metadata"]["annotations"] = {"other": "kept"}
    client = cluster(api)
    assert cordon(client, node, "m1") == "node/w1 cordoned"
    assert len(api.writes()) == 1, "cordon and annotation are one patch"
    assert spec(api)["unschedulable"] is True
    assert annotations_(api) == {"other": "kept", CORDONED_BY: "m1"}
    assert cordoned_by(api.objects["nodes", "", "w1"]) == "m1"
    assert cordon(client, node, "m1") == "node/w1 already cordoned"
    assert uncordon(client, node, "m1") == "node/w1 uncordoned"
    assert "unschedulable" not in spec(api)
    assert annotations_(api) == {"other": "kept"}
    assert uncordon(client, node, "m1") == "node/w1 already uncordoned"
    assert len(api.writes()) == 2


@pytest.mark.parametrize("owner", ["", "m2"])
def test_another_ones_cordon_stays(owner: str) -> None:
    api = FakeApi()
    node = add_node(api, unschedulable=True)
    if owner:
        api.objects["nodes", "", "w1"]["metadata"]["annotations"] = {CORDONED_BY: owner}
    client = cluster(api)
    assert cordon(client, node, "m1") == "node/w1 already cordoned"
    assert "stays cordoned" in uncordon(client, node, "m1")
    assert (owner or "an administrator") in uncordon(client, node, "m1")
    assert spec(api)["unschedulable"] is True
    assert api.writes() == []


def test_administrator_uncordoned_meanwhile() -> None:
    api = FakeApi()
    node = add_node(api)
    client = cluster(api)
    cordon(client, node, "m1")
    del spec(api)["unschedulable"]
    assert uncordon(client, node, "m1") == "node/w1 already uncordoned"
    assert annotations_(api) == {}


def test_conflicts_are_read_again() -> None:
    api = FakeApi()
    node = add_node(api)
    times = 2

    def heartbeat(request: Request) -> Answer | None:
        nonlocal times
        if request.method == "PATCH" and times:
            times -= 1
            api.add("nodes", api.objects["nodes", "", "w1"])  # a new resource version
        return None

    api.answers.append(heartbeat)
    assert cordon(cluster(api), node, "m1") == "node/w1 cordoned"
    assert len(api.writes()) == 3


def test_a_node_of_another_uid_is_refused() -> None:
    api = FakeApi()
    add_node(api)
    other = NodeRef(name="w1", uid="older")
    for call in (
        lambda: cordon(cluster(api), other, "m1"),
        lambda: uncordon(cluster(api), other, "m1"),
        lambda: add_waiting_taint(cluster(api), other, "m1"),
        lambda: annotate_cri_socket(cluster(api), other, "unix:///x"),
        lambda: cordon(cluster(api), NodeRef(name="gone", uid="u"), "m1"),
    ):
        with pytest.raises(Moved):
            call()
    assert api.writes() == []


def test_taint() -> None:
    api = FakeApi()
    master = {"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"}
    node = add_node(api, taints=[master])
    client = cluster(api)
    ours = {"key": WAITING, "value": "m1", "effect": "PreferNoSchedule"}
    assert add_waiting_taint(client, node, "m1") == "node/w1 tainted"
    assert spec(api)["taints"] == [master, ours]
    assert add_waiting_taint(client, node, "m1") == "node/w1 already tainted"
    assert remove_waiting_taint(client, node, "m2") == "node/w1 not tainted"
    assert remove_waiting_taint(client, node, "m1") == "node/w1 untainted"
    assert spec(api)["taints"] == [master]
    assert len(api.writes()) == 2


def test_taint_alone() -> None:
    api = FakeApi()
    node = add_node(api)
    add_waiting_taint(cluster(api), node, "m1")
    remove_waiting_taint(cluster(api), node, "m1")
    assert "taints" not in spec(api)


def test_annotate() -> None:
    api = FakeApi()
    node = add_node(api)
    client = cluster(api)
    endpoint = "unix:///run/containerd/containerd.sock"
    assert annotate_cri_socket(client, node, endpoint) is True
    assert annotations_(api) == {CRI_SOCKET: endpoint}
    assert annotate_cri_socket(client, node, endpoint) is False
