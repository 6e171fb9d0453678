"""A cluster dressed with one of each problem: the report is compared whole."""

from __future__ import annotations

from typing import Any

import pytest

from cri_switch.cluster.client import Cluster
from cri_switch.model.migration import Backup, ClusterAccess, Drain, Metadata, Migration, Spec
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan, Plan
from tasks import workload_findings as module
from tasks.workload_findings import workload_findings
from tests.unit.cluster.fake_api import FakeApi

NODES = [NodeRef(name=name, uid=name) for name in ("w1", "w2")]
PLAN = Plan(
    cluster_uid="u",
    migration_id="m",
    target="containerd",
    nodes=tuple(NodePlan(node=node, action="migrate") for node in NODES),
    batches=tuple((node,) for node in NODES),
)
SOCKET = {"volumes": [{"name": "v", "hostPath": {"path": "/run/docker.sock"}}]}
MOUNTS = [{"name": "c", "image": "x", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]


def migration(drain: Drain | None = None) -> Migration:
    return Migration(
        metadata=Metadata(name="m"),
        spec=Spec(cluster=ClusterAccess(kubeconfig="-"), backup=Backup(directory="-"), drain=drain or Drain()),
    )


def named(name: str, *owner: str, **more: Any) -> dict[str, Any]:
    references = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {"name": name, "namespace": "ns", "ownerReferences": references} | more


def pod(name: str, *owner: str, node: str = "w1", labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": named(name, *owner, labels=labels or {}),
        "spec": {"nodeName": node, "containers": MOUNTS} | spec,
        "status": {"phase": "Running"},
    }


def whole() -> FakeApi:
    api = FakeApi("1.20")
    for node in NODES:
        conditions = [{"type": "Ready", "status": "True"}]
        status = {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "9"}, "conditions": conditions}
        api.add("nodes", {"metadata": {"name": node.name}, "spec": {}, "status": status})
    api.add("deployments", {"metadata": named("web"), "spec": {"replicas": 2, "template": {"spec": {}}}})
    api.add("replicasets", {"metadata": named("web-1", "Deployment", "web"), "spec": {"replicas": 2}})
    for number in "ab":
        api.add("pods", pod(f"web-1-{number}", "ReplicaSet", "web-1", labels={"app": "web"}))
    return api


def dressed() -> FakeApi:
    api = whole()
    zero = {"replicas": 0, "template": {"spec": SOCKET | {"containers": MOUNTS}}}
    api.add("statefulsets", {"metadata": named("ci"), "spec": zero})
    api.add("persistentvolumes", {"metadata": {"name": "pv"}, "spec": {"hostPath": {"path": "/var/run"}}})
    api.add("persistentvolumeclaims", {"metadata": named("data"), "spec": {"volumeName": "pv"}})
    claims = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}], "containers": MOUNTS}
    api.add("statefulsets", {"metadata": named("db"), "spec": {"replicas": 0, "template": {"spec": claims}}})
    nightly = {"jobTemplate": {"spec": {"template": {"spec": SOCKET | {"containers": MOUNTS}}}}}
    api.add("cronjobs", {"metadata": named("nightly"), "spec": nightly})
    api.add("deployments", {"metadata": named("one"), "spec": {"replicas": 1, "template": {"spec": {}}}})
    api.add("replicasets", {"metadata": named("one-1", "Deployment", "one"), "spec": {"replicas": 1}})
    scratch = [{"name": "s", "emptyDir": {}}, {"name": "d", "hostPath": {"path": "/srv/one"}}]
    api.add(
        "pods", pod("one-1-a", "ReplicaSet", "one-1", node="w2", volumes=scratch, terminationGracePeriodSeconds=900)
    )
    bare = pod("bare", labels={"app": "bare"}, nodeSelector={"only": "w1"})
    bare["metadata"]["finalizers"] = ["acme.io/x"]
    api.add("pods", bare)
    selector = {"matchLabels": {"app": "web"}}
    for name, spec in (("never", {"maxUnavailable": 0}), ("now", {"maxUnavailable": 1})):
        status = {"disruptionsAllowed": 0, "expectedPods": 2}
        body = {"metadata": named(name), "spec": {"selector": selector} | spec, "status": status}
        api.add("poddisruptionbudgets", body)
    return api


@pytest.fixture(autouse=True)
def unseen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    kinds: list[str] = []
    monkeypatch.setattr(module, "unseen_kinds", lambda _api: kinds)
    return kinds


def found(api: FakeApi, drain: Drain | None = None) -> list[tuple[str, str, str]]:
    return [(f.level, f.name, f.object) for f in workload_findings(Cluster(api), PLAN, migration(drain))]


def test_a_whole_cluster_is_silent() -> None:
    assert found(whole()) == []


@pytest.mark.parametrize(
    ("annotations", "told"),
    [({}, True), ({"cri-switch.io/migrating": "m"}, False), ({"cri-switch.io/cordoned-by": "other"}, False)],
)
def test_pods_that_a_cordon_keeps_from_coming_back(annotations: dict[str, str], told: bool) -> None:
    """An administrator's; one of this migration's own ends, and of another's the Lease tells."""
    api = whole()
    api.objects["nodes", "", "w1"]["spec"]["unschedulable"] = True
    api.objects["nodes", "", "w1"]["metadata"]["annotations"] = annotations
    api.add("pods", pod("tied", "ReplicaSet", "web-1", nodeSelector={"kubernetes.io/hostname": "w1"}))
    assert (("error", "TiedToCordonedNode", "node w1") in found(api)) is told


def test_the_whole_report() -> None:
    assert found(dressed()) == [
        ("error", "DockerSocketMounted", "ns/CronJob/nightly"),
        ("error", "DockerSocketMounted", "ns/StatefulSet/ci"),
        ("error", "DockerSocketMounted", "ns/StatefulSet/db"),
        ("error", "BarePod", "ns/Pod/bare"),
        ("error", "EmptyDirData", "ns/Deployment/one"),
        ("warning", "SingleReplica", "ns/Deployment/one"),
        ("warning", "LongGracePeriod", "ns/Deployment/one"),
        ("warning", "PodFinalizers", "ns/Pod/bare"),
        ("warning", "HostPathData", "ns/Deployment/one"),
        ("error", "PdbNeverAllows", "PodDisruptionBudget ns/never"),
        ("warning", "PdbAllowsNoneNow", "PodDisruptionBudget ns/now"),
        ("error", "PodInSeveralBudgets", "PodDisruptionBudget ns/never"),
        ("warning", "BatchDoesNotFit", "batch 1"),
    ]


def test_kinds_that_may_not_be_listed_are_told_and_not_asked_for(unseen: list[str]) -> None:
    unseen.append("CronJob")
    api = dressed()
    names = found(api)
    assert names[0] == ("warning", "TemplatesNotChecked", "")
    assert ("error", "DockerSocketMounted", "ns/CronJob/nightly") not in names
    assert not any("cronjobs" in str(request) for request in api.requests)


def test_only_the_pods_that_are_drained_count() -> None:
    drain = Drain(pod_selector="app=web", delete_emptydir_data=True)
    names = {name for _level, name, _object in found(dressed(), drain)}
    assert names & {"BarePod", "SingleReplica", "EmptyDirData"} == set()
    assert "PdbNeverAllows" in names


def test_dockers_data_are_looked_for_where_the_nodes_have_them() -> None:
    api = whole()
    spec = {"volumes": [{"name": "v", "hostPath": {"path": "/data/docker"}}], "containers": MOUNTS}
    api.add("statefulsets", {"metadata": named("gc"), "spec": {"replicas": 0, "template": {"spec": spec}}})
    found = workload_findings(Cluster(api), PLAN, migration(), ["/data/docker"])
    assert [(each.name, each.object) for each in found] == [("DockerDataMounted", "ns/StatefulSet/gc")]
    assert workload_findings(Cluster(api), PLAN, migration()) == []
