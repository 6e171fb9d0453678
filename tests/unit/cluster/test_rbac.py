"""deployments/rbac.yaml has the rights that the code uses, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cri_switch.cluster.annotate import annotate_cri_socket
from cri_switch.cluster.client import Cluster
from cri_switch.cluster.cordon import cordon, uncordon
from cri_switch.cluster.drain import drain
from cri_switch.cluster.gate import gate
from cri_switch.cluster.inventory import inventory
from cri_switch.cluster.lease import Lease
from cri_switch.cluster.node_event import node_event
from cri_switch.cluster.not_backed_up import not_backed_up
from cri_switch.cluster.pods import EvictedPod
from cri_switch.cluster.probe import probe_pod
from cri_switch.cluster.settle import settled
from cri_switch.cluster.snapshot import take_snapshot
from cri_switch.cluster.taint import add_waiting_taint, remove_waiting_taint
from cri_switch.cluster.transport import Answer, Request
from cri_switch.cluster.workload_objects import workload_objects
from cri_switch.cluster.workloads import noted
from cri_switch.model.errors import DrainBlocked
from cri_switch.model.migration import Drain
from tests.unit.cluster.fake_api import Clock, FakeApi, Obj, add_node, pod, status

RBAC = Path(__file__).parents[3] / "deployments" / "rbac.yaml"
Right = tuple[str, str, str, str]


def rights() -> set[Right]:
    """(namespace or "", group, resource, verb) of every rule for resources."""
    found: set[Right] = set()
    for document in yaml.safe_load_all(RBAC.read_text()):
        for rule in document.get("rules", []):
            namespace = document["metadata"].get("namespace", "")
            for group in rule.get("apiGroups", []):
                found |= {(namespace, group, r, v) for r in rule["resources"] for v in rule["verbs"]}
    return found


def wanted(request: Request) -> tuple[str, str, str, str] | None:
    """(namespace, group, resource, verb) of a request; None for what is no resource."""
    path = request.path.strip("/").split("/")
    size = 2 if path[0] == "api" else 3
    if path[0] not in ("api", "apis") or len(path) <= size:
        return None
    group, rest = ("" if path[0] == "api" else path[1]), path[size:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource = "/".join([rest[0], *rest[2:]])
    verbs = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}
    verb = verbs.get(request.method, "get" if len(rest) > 1 else "list")
    return namespace, group, resource, verb


def test_these_rights_are_enough_and_all_are_used() -> None:
    given, used = rights(), set[Right]()
    api, clock = FakeApi(), Clock()

    def guard(request: Request) -> Answer | None:
        asked = wanted(request)
        if asked is None:
            return None
        namespace, *rest = asked
        rule = next((r for r in (("", *rest), (namespace, *rest)) if r in given), None)
        if rule is None:
            return status(403, "Forbidden", f'User "x" cannot {asked}')
        used.add(rule)
        return None

    api.answers.append(guard)
    client = Cluster(api)
    node = add_node(api)
    api.add("daemonsets", {"metadata": {"name": "agent", "namespace": "lab"}, "spec": {}})
    api.add("pods", pod("agent-1", owner="DaemonSet/agent"))
    blocked = pod("web-1")
    api.add("pods", blocked)
    assert client.uid() == "cluster-uid"
    inventory(client)
    node_event(client, node, "DrainStarted", "x")
    add_waiting_taint(client, node, "m")
    cordon(client, node, "m")
    annotate_cri_socket(client, node, "unix:///x")
    pace: dict[str, Any] = {"sleep": clock.sleep, "clock": clock}
    api.answers.append(lambda r: status(429, "TooManyRequests", "no") if r.path.endswith("/eviction") else None)
    try:
        drain(client, node, Drain(timeout=3), **pace)
    except DrainBlocked as problem:
        assert "web-1" in problem.what
    api.answers.pop()
    drain(client, node, Drain(), **pace)

    def running() -> None:
        for (_, namespace, _), found in api.objects.items():
            if namespace == "cri-switch":
                found["status"] = {"phase": "Running", "podIP": "10.244.1.3"}

    clock.at(clock() - 1000 + 1, running)
    with probe_pod(client, node, "pause", seconds=10, **pace) as probe:
        assert probe.ip
    uncordon(client, node, "m")
    remove_waiting_taint(client, node, "m")
    for kind in ("ReplicaSet", "StatefulSet", "Deployment", "Job", "ReplicationController"):
        assert noted(client, ("lab", kind, "x")).ready is None
    lost = EvictedPod(namespace="lab", name="a", uid="a", claims=("c",))
    settled(client, node, [lost], seconds=5, **pace)
    gate(client, seconds=10, before=take_snapshot(client), **pace)
    lease = Lease(client, "m", "run")
    lease.take()
    lease.release()
    assert [each["kind"] for each in workload_objects(client)] == ["DaemonSet"]
    not_backed_up(client.list("Pod"), client.list("PersistentVolumeClaim"), client.list("PersistentVolume"))
    assert given - used == set()


def test_nothing_broad() -> None:
    documents: list[Obj] = list(yaml.safe_load_all(RBAC.read_text()))
    for rule in (rule for document in documents for rule in document.get("rules", [])):
        for part in ("apiGroups", "resources", "verbs", "nonResourceURLs"):
            assert "*" not in rule.get(part, [])
        assert "secrets" not in rule.get("resources", [])
