from __future__ import annotations

import dataclasses
import json

import pytest

from cri_switch.node.before import Before, UnitBefore, forward_policy, parse_before
from cri_switch.node.command import Result
from cri_switch.node.facts.leftovers import Work, cri_work, stop_order
from cri_switch.render.serves_cri import minimal_config, serves_cri


def test_the_record_comes_back_as_it_was_written() -> None:
    record = Before(
        units={"docker.service": UnitBefore(active=False)},
        packages={"runc": "1.0"},
        manual=("runc",),
        forward={"iptables": "DROP"},
        paths=("/etc/containerd",),
        cluster={"own_pods": [{"name": "x"}], "cri_socket": "/var/run/dockershim.sock"},
    )
    assert parse_before(json.dumps(dataclasses.asdict(record))) == record


def test_without_a_record_nothing_is_claimed_of_before() -> None:
    found = parse_before(None)
    assert not found.known
    assert found.unit("docker.service") == UnitBefore()


@pytest.mark.parametrize(
    ("saved", "policy"),
    [
        ("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [1:2]\nCOMMIT\n", "DROP"),
        ("*mangle\n:FORWARD ACCEPT [0:0]\nCOMMIT\n*filter\n:FORWARD DROP [0:0]\nCOMMIT\n", "DROP"),
        ("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n", ""),
    ],
)
def test_the_policy_is_that_of_the_table_filter(saved: str, policy: str) -> None:
    assert forward_policy(saved) == policy


@pytest.mark.parametrize(
    ("text", "serves"),
    [
        (None, False),
        ("", True),
        ('disabled_plugins = ["cri"]\n', False),
        ('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n', False),
        ("version = [", False),
        (minimal_config("pause:3.2", "/opt/cni/bin", "/etc/cni/net.d"), True),
    ],
)
def test_which_configuration_serves_cri(text: str | None, serves: bool) -> None:
    assert serves_cri(text) is serves


def test_the_api_server_stops_first_etcd_last_and_no_pause_container() -> None:
    work = [
        Work("e", "etcd", "kube-system/etcd-cp1"),
        Work("w", "web", "shop/web", grace=5),
        Work("p", "", "shop/web", sandbox=True),
        Work("s", "kube-scheduler", "kube-system/kube-scheduler-cp1"),
        Work("a", "kube-apiserver", "kube-system/kube-apiserver-cp1"),
        Work("f", "etcd", "shop/etcd"),
    ]
    assert [[one.id for one in group] for group in stop_order(work)] == [["a"], ["w"], ["s", "f"], ["e"]]


def test_running_containers_are_read_with_their_pod_and_its_grace() -> None:
    one = {
        "id": "c1",
        "metadata": {"name": "etcd"},
        "labels": {"io.kubernetes.pod.namespace": "kube-system", "io.kubernetes.pod.name": "etcd-cp1"},
        "annotations": {"io.kubernetes.pod.terminationGracePeriod": "7"},
    }
    found = cri_work("unix:///x").parse(Result(0, json.dumps({"containers": [one, {**one, "annotations": None}]})))
    assert [(work.pod, work.grace, work.turn) for work in found] == [
        ("kube-system/etcd-cp1", 7, 1),
        ("kube-system/etcd-cp1", 30, 1),
    ]
