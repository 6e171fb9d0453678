from __future__ import annotations

import json

import pytest

from cri_switch.model.errors import NotProven, RemoteTimeout
from cri_switch.node.command import Result
from cri_switch.node.facts.control_plane import (
    API_MANIFEST,
    ETCD_MANIFEST,
    api_address,
    etcd_health,
    parse_manifest,
    prove_control_plane,
)
from cri_switch.node.fake import Answer, ScriptedConnection

API = """\
apiVersion: v1
kind: Pod
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=10.77.0.11
    - --secure-port=6443
    name: kube-apiserver
"""
ETCD = """\
apiVersion: v1
kind: Pod
spec:
  containers:
  - command:
    - etcd
    - --cert-file=/etc/kubernetes/pki/etcd/server.crt
    - --key-file=/etc/kubernetes/pki/etcd/server.key
    - --trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt
    - --listen-client-urls=https://127.0.0.1:2379,https://10.77.0.11:2379
    name: etcd
"""
RUNNING = {
    "id": "e1",
    "metadata": {"name": "etcd"},
    "podSandboxId": "s",
    "state": "CONTAINER_RUNNING",
    "labels": {"io.kubernetes.pod.namespace": "kube-system", "io.kubernetes.pod.name": "etcd-cp1"},
}


@pytest.mark.parametrize(
    ("flags", "address"),
    [
        ([], "127.0.0.1:6443"),
        (["--secure-port=8443"], "127.0.0.1:8443"),
        (["--bind-address=0.0.0.0"], "127.0.0.1:6443"),
        (["--bind-address=10.0.0.5"], "10.0.0.5:6443"),
        (["--bind-address=fd00::5"], "[fd00::5]:6443"),
    ],
)
def test_where_the_local_api_server_answers(flags: list[str], address: str) -> None:
    pod = {"spec": {"containers": [{"name": "kube-apiserver", "command": ["kube-apiserver", *flags]}]}}
    manifest = parse_manifest("m.yaml", json.dumps(pod))
    assert manifest is not None
    assert api_address(manifest) == address


@pytest.mark.parametrize("text", ["", "a: b", "{", "spec: {containers: []}"])
def test_what_is_no_pod_is_refused(text: str) -> None:
    with pytest.raises(NotProven, match=r"m\.yaml"):
        parse_manifest("m.yaml", text)


def test_etcdctl_is_given_the_members_own_certificates() -> None:
    manifest = parse_manifest("etcd.yaml", ETCD)
    assert manifest is not None
    fact = etcd_health("unix:///x.sock", "e1", manifest)
    assert fact.command.argv[3:] == (
        "exec",
        "-s",
        "e1",
        "etcdctl",
        "--endpoints=https://127.0.0.1:2379",
        "--cacert=/etc/kubernetes/pki/etcd/ca.crt",
        "--cert=/etc/kubernetes/pki/etcd/server.crt",
        "--key=/etc/kubernetes/pki/etcd/server.key",
        "endpoint",
        "health",
    )
    healthy = "https://127.0.0.1:2379 is healthy: successfully committed proposal: took = 9.9ms\n"
    assert fact.parse(Result(0, "", healthy)) == ""
    assert fact.parse(Result(1, "", "context deadline exceeded")) == "context deadline exceeded"


HEALTHY = Result(0, "x is healthy")


def node(codes: list[str], *, etcd: str = ETCD, ctl: Result = HEALTHY) -> ScriptedConnection:
    left = iter(codes)
    answers: dict[str, Answer] = {
        API_MANIFEST: API,
        ETCD_MANIFEST: etcd if etcd else Result(1, "", "cat: No such file or directory"),
        "curl": lambda _c: Result(0, next(left)),
        "ps -o json": json.dumps({"containers": [RUNNING]}),
        "endpoint health": ctl,
    }
    connection = ScriptedConnection("cp1", {})
    connection.answers.update(answers)
    return connection


def test_it_waits_through_the_warming_up() -> None:
    slept: list[float] = []
    assert prove_control_plane(node(["000", "403", "500", "200"]), seconds=60, sleep=slept.append).endswith(
        "etcd's member is healthy"
    )
    assert len(slept) == 3


def test_an_external_etcd_is_said() -> None:
    assert prove_control_plane(node(["200"], etcd=""), seconds=60).endswith("etcd is external")


def test_a_deadline_that_passes_says_what_is_ill() -> None:
    with pytest.raises(RemoteTimeout, match=r"/readyz answers 500, etcd: unhealthy cluster"):
        prove_control_plane(node(["500"], ctl=Result(1, "", "unhealthy cluster")), seconds=1e-9)
