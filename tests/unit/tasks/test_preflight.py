"""What a question that fails leaves of the others: all that they found."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cri_switch.model.errors import RemoteCommandFailed, RemoteTimeout, SudoRefused, Unreachable
from cri_switch.model.finding import Finding
from cri_switch.model.plan import Plan
from cri_switch.node.command import Result
from cri_switch.node.fake import ScriptedConnection
from tasks import preflight, reach
from tasks.discover import Discovery
from tests.unit.cluster.fake_api import FakeApi, cluster
from tests.unit.tasks.test_node_state import FILES, INFO, MIGRATION, NODE, UNITS, container, node

LATE = {"date": Result(0, "1000\n")}
MANIFEST = """\
spec:
  containers:
  - command: [etcd, --data-dir=/var/lib/etcd]
    volumeMounts: [{mountPath: /var/lib/etcd, name: d}]
  volumes: [{hostPath: {path: /var/lib/etcd}, name: d}]
"""
ETCD_FILE = FILES + "".join(f"/etc/kubernetes/manifests/etcd.yaml:{line}\n" for line in MANIFEST.splitlines())
LABELS = {
    "io.kubernetes.pod.uid": "u",
    "io.kubernetes.container.name": "etcd",
    "io.kubernetes.pod.namespace": "kube-system",
    "io.kubernetes.pod.name": "etcd-w1",
}
STATUS = json.dumps([{"Endpoint": "e", "Status": {"dbSize": 5}}])


def plane(**more: Any) -> dict[str, Any]:
    """A control-plane node with an etcd that is well, and a clock that is not."""
    programs = ("containerd", "crictl", "pgrep", "ping", "curl")
    return {
        "os-release": ETCD_FILE,
        "ls -1 -d": Result(2, "".join(f"/usr/bin/{name}\n" for name in programs)),
        "--type container": container("etcd", LABELS),
        "endpoint status": STATUS,
        "member list": '{"members": [{"ID": 1}]}',
        "--include=*.crt": "",
        **LATE,
        **more,
    }


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Finding]]:
    def found(first: dict[str, Any], role: str = "worker") -> list[Finding]:
        connection: ScriptedConnection = node(first=first)
        monkeypatch.setattr(reach, "node", lambda _ref, _migration: connection)
        return preflight.check_node.fn(NODE.model_copy(update={"role": role}), MIGRATION).findings

    return found


@pytest.mark.parametrize(
    ("first", "names"),
    [
        ({}, []),
        ({"docker info": "Cannot connect"}, ["AnswerNotUnderstood"]),
        ({"docker info": RemoteTimeout("no end")}, ["RemoteTimeout"]),
        ({"--type container": "{"}, ["AnswerNotUnderstood"]),
        ({"dpkg-query": RemoteCommandFailed("locked", rc=2, stderr="")}, ["RemoteCommandFailed"]),
        ({"df -B1": Result(1, "nonsense\n1 2\n")}, ["AnswerNotUnderstood"]),
        ({"sudo -n -l": RemoteCommandFailed("no", rc=1, stderr="")}, ["RemoteCommandFailed"]),
        ({"docker ps": SudoRefused("docker?"), "grep -R": SudoRefused("grep?")}, ["SudoRefused"]),
        ({"os-release": FILES.replace("evictionHard: {", "evictionHard: [{")}, ["FileNotUnderstood"]),
    ],
)
def test_the_other_answers_are_kept(
    look: Callable[..., list[Finding]], first: dict[str, Any], names: list[str]
) -> None:
    assert [each.name for each in look(first | LATE)] == ["ClockSkew", *names]
    assert all(each.summary.startswith("w1: ") and each.node == "w1" for each in look(first))


@pytest.mark.parametrize(
    ("first", "root"),
    [
        ({}, "/var/lib/docker"),
        ({"docker info": INFO.replace("/var/lib/docker", "/data")}, "/data"),
        (
            {
                "systemctl show": UNITS.replace("=active", "=inactive"),
                "os-release": FILES.replace('"live-restore": false', '"data-root": "/srv/d"'),
            },
            "/srv/d",
        ),
        ({"docker info": Unreachable("w1: gone")}, ""),
    ],
)
def test_where_dockers_data_are(monkeypatch: pytest.MonkeyPatch, first: dict[str, Any], root: str) -> None:
    monkeypatch.setattr(reach, "node", lambda _ref, _migration: node(first=first))
    assert preflight.check_node.fn(NODE, MIGRATION).docker_root == root


def test_nothing_that_all_else_hangs_on(look: Callable[..., list[Finding]]) -> None:
    assert [each.name for each in look({"systemctl show": "Id=docker.service\n"})] == ["AnswerNotUnderstood"]
    assert [each.name for each in look({"os-release": SudoRefused("cat?")})] == ["SudoRefused"]
    assert [each.name for each in look({"date": Unreachable("w1: gone")})] == ["Unreachable"]


@pytest.mark.parametrize(
    ("said", "there", "names"),
    [
        ("abc", "abc", ["ClockSkew"]),
        ("abc", "def", ["WrongMachine"]),
        ("", "def", ["ClockSkew"]),
        ("abc", "", ["ClockSkew"]),
    ],
)
def test_another_machine_is_not_judged_further(
    monkeypatch: pytest.MonkeyPatch, said: str, there: str, names: list[str]
) -> None:
    files = FILES + (f"/etc/machine-id:{there}\n" if there else "")
    monkeypatch.setattr(reach, "node", lambda _ref, _migration: node(first={"os-release": files, **LATE}))
    looked = preflight.check_node.fn(NODE.model_copy(update={"machine_id": said}), MIGRATION)
    assert [each.name for each in looked.findings] == names
    assert bool(looked.files) is (names == ["ClockSkew"])


def test_what_a_node_would_run_and_which_files_it_hangs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "node", lambda _ref, _migration: node())
    looked = preflight.check_node.fn(NODE, MIGRATION)
    assert looked.findings == []
    assert looked.runtime == ("1.4.13~ds1", "")
    assert looked.files.keys() == {
        "/etc/docker/daemon.json",
        "/var/lib/kubelet/config.yaml",
        "/var/lib/kubelet/kubeadm-flags.env",
        "kubelet.service with its drop-ins",
    }


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({}, []),
        ({"endpoint status": RemoteTimeout("etcdctl did not end")}, ["RemoteTimeout"]),
        ({"endpoint status": '[{"Endpoint": 1}]'}, ["AnswerNotUnderstood"]),
        ({"os-release": ETCD_FILE.replace("spec:", "spec: [")}, ["FileNotUnderstood"]),
        ({"--include=*.crt": RemoteCommandFailed("grep", rc=2, stderr="")}, ["RemoteCommandFailed"]),
        ({"--type container": container("other", LABELS | {"io.kubernetes.container.name": "x"})}, ["EtcdUnhealthy"]),
        ({"--type container": container("etcd", LABELS).replace("running", "exited")}, ["EtcdUnhealthy"]),
        ({"os-release": FILES}, ["EtcdNotLocal"]),
        ({"systemctl show": UNITS.replace("=active", "=inactive")}, ["DockerNotActive"]),
        ({"docker info": RemoteTimeout("no end")}, ["RemoteTimeout"]),
    ],
)
def test_etcd(look: Callable[..., list[Finding]], more: dict[str, Any], names: list[str]) -> None:
    assert sorted(each.name for each in look(plane(**more), "control-plane")) == sorted(["ClockSkew", *names])


@pytest.mark.parametrize(("right", "drains"), [("list pods", []), ("create pods/eviction", ["PdbNeverAllows"])])
def test_a_right_that_lacks_keeps_only_from_what_needs_it(
    monkeypatch: pytest.MonkeyPatch, right: str, drains: list[str]
) -> None:
    lacks = Finding("error", "MissingRight", f"the credentials in k may not: {right}")
    monkeypatch.setattr(reach, "cluster", lambda _migration: cluster(FakeApi("1.20")))
    monkeypatch.setattr(preflight, "check_rights", lambda *_: [lacks])
    monkeypatch.setattr(preflight, "workload_findings", lambda *_: [Finding("error", "PdbNeverAllows", "never")])
    monkeypatch.setattr(preflight, "check_orchestrator", lambda *_: [Finding("error", "OrchestratorOnNode", "here")])
    plane = NODE.model_copy(update={"role": "control-plane", "runtime": "docker://20.10.5"})
    plan = Plan(cluster_uid="c", migration_id="m", target="containerd", nodes=(), batches=((plane,),))
    found = Discovery(
        cluster_uid="c", migration_id="m", nodes=(plane,), half_done=frozenset(), switched=frozenset(),
        selected=frozenset({"w1"}), zones={}, findings=(),
    )  # fmt: skip
    names = [each.name for each in preflight.check_cluster.fn(found, plan, MIGRATION)]
    assert names == ["MissingRight", *drains, "SingleControlPlane", "OrchestratorOnNode", "BackupNotAcknowledged"]
