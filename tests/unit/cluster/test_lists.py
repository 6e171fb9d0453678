"""Pure lists: budgets that guard a pod, data that no backup has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cri_switch.cluster.not_backed_up import not_backed_up
from cri_switch.cluster.pdb import guarding
from cri_switch.model.label_selector import selects
from tests.unit.cluster.fake_api import Obj, pod

LABELS = {"app": "web", "tier": "front"}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "tier": "back"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "other", "operator": "NotIn", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_matches(selector: Obj, expected: bool) -> None:
    assert selects(selector, LABELS) is expected


@pytest.mark.parametrize(
    ("version", "namespace", "selector", "expected"),
    [
        ("policy/v1beta1", "lab", {}, False),
        ("policy/v1", "lab", {}, True),
        ("policy/v1", "lab", None, False),
        ("policy/v1", "other", {}, False),
        ("policy/v1beta1", "lab", {"matchLabels": LABELS}, True),
    ],
)
def test_guarding(version: str, namespace: str, selector: Obj | None, expected: bool) -> None:
    budget = {"apiVersion": version, "metadata": {"name": "b", "namespace": namespace}, "spec": {"selector": selector}}
    assert bool(guarding(pod("p", labels=LABELS), [budget])) is expected


def host_path(name: str, path: str, owner: str = "", kind: str = "", node: str = "w1") -> Obj:
    found = pod(name, owner=owner, node=node)
    found["spec"]["volumes"] = [{"name": "v", "hostPath": {"path": path, "type": kind}}]
    return found


def claim(name: str, volume: str = "") -> Obj:
    return {"metadata": {"name": name, "namespace": "lab"}, "spec": {"volumeName": volume}}


def test_not_backed_up() -> None:
    expressions = [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["w1"]}]
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": expressions}]}}
    volumes = [
        {"metadata": {"name": "l1"}, "spec": {"local": {"path": "/data"}, "nodeAffinity": affinity}},
        {"metadata": {"name": "n1"}, "spec": {"nfs": {"server": "s"}}},
        {"metadata": {"name": "h1"}, "spec": {"hostPath": {"path": "/h"}}},
    ]
    found = [
        host_path("db-1", "/srv/db", "DaemonSet/db"),
        host_path("db-2", "/srv/db", "DaemonSet/db", node="w2"),
        host_path("bare", "/mnt/x"),
        host_path("etcd-cp1", "/var/lib/etcd"),
        host_path("apiserver", "/etc/kubernetes/pki"),
        host_path("proxy", "/lib/modules"),
        host_path("sock", "/opt/app.sock", kind="Socket"),
        host_path("exporter", "/"),
        pod("scratch", empty_dir=True),
    ]
    claims = [claim("a", "l1"), claim("b", "n1"), claim("c", "h1"), claim("d"), claim("e", "gone")]
    assert not_backed_up(found, claims, volumes) == [
        "PersistentVolumeClaim lab/a (PersistentVolume l1: local /data on w1)",
        "PersistentVolumeClaim lab/b (PersistentVolume n1)",
        "PersistentVolumeClaim lab/c (PersistentVolume h1: hostPath /h)",
        "PersistentVolumeClaim lab/d (not bound)",
        "PersistentVolumeClaim lab/e (PersistentVolume gone)",
        "hostPath /mnt/x of Pod lab/bare on w1",
        "hostPath /srv/db of DaemonSet lab/db on w1, w2",
    ]


@given(path=st.from_regex(r"/[a-z]{1,8}(/[a-z]{1,8}){0,2}", fullmatch=True))
def test_a_path_is_listed_or_the_systems(path: str) -> None:
    listed = not_backed_up([host_path("p", path)], [], [])
    system = path.split("/")[1] in ("usr", "lib", "run", "dev", "proc", "sys", "etc", "opt", "var")
    assert bool(listed) or system
