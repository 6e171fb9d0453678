from __future__ import annotations

from typing import Any

import pytest

from cri_switch.checks.docker_socket import check_docker_socket


def pod(
    name: str = "p",
    path: str = "/var/run/docker.sock",
    *,
    owner: tuple[str, str] | None = None,
    labels: dict[str, str] | None = None,
    phase: str = "Running",
    containers: str = "containers",
    mounted: str = "v",
    sub_path: str = "",
    node: str = "w1",
) -> dict[str, Any]:
    references = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "namespace": "ns", "labels": labels or {}, "ownerReferences": references},
        "spec": {
            "nodeName": node,
            "volumes": [{"name": "v", "hostPath": {"path": path}}, {"name": "e", "emptyDir": {}}],
            containers: [{"name": "c", "volumeMounts": [{"name": mounted, "mountPath": "/x", "subPath": sub_path}]}],
        },
        "status": {"phase": phase},
    }


@pytest.mark.parametrize(
    "path",
    [
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/var/run/docker.sock/",
        "/var//run/./docker.sock",
        "/var/run/../run/docker.sock",
        "//run/docker.sock",
        "/run/dockershim.sock",
        "/var/run/dockershim.sock",
        "/var/run",
        "/run/",
        "/var",
        "/",
    ],
)
def test_paths_that_reach_the_socket(path: str) -> None:
    (finding,) = check_docker_socket([pod(path=path)], [])
    assert (finding.level, finding.name, finding.object) == ("error", "DockerSocketMounted", "ns/Pod/p")
    assert path in finding.summary


@pytest.mark.parametrize(
    "path",
    [
        "/run/xtables.lock",
        "/var/run/docker.sock.bak",
        "/opt/docker.sock",
        "/run/docker.sock.d/docker.sock",
        "/var/lib/docker",
        "/run/flannel",
        "/var/log",
        "/var/run/docker",
    ],
)
def test_paths_that_do_not(path: str) -> None:
    assert check_docker_socket([pod(path=path)], []) == []


@pytest.mark.parametrize("kind", ["containers", "initContainers", "ephemeralContainers"])
def test_any_kind_of_container_counts(kind: str) -> None:
    assert len(check_docker_socket([pod(containers=kind)], [])) == 1


def test_a_volume_that_nobody_mounts_does_not_count() -> None:
    assert check_docker_socket([pod(mounted="e")], []) == []


@pytest.mark.parametrize(("sub_path", "count"), [("docker.sock", 1), ("", 1), ("xtables.lock", 0), ("flannel", 0)])
def test_sub_path_narrows_a_directory(sub_path: str, count: int) -> None:
    assert len(check_docker_socket([pod(path="/run", sub_path=sub_path)], [])) == count


@pytest.mark.parametrize(
    ("owner", "labels", "expected"),
    [
        (("ReplicaSet", "web-5d8f"), {"pod-template-hash": "5d8f"}, "ns/Deployment/web"),
        (("ReplicaSet", "web-5d8f"), {}, "ns/ReplicaSet/web-5d8f"),
        (("ReplicaSet", "web"), {"pod-template-hash": "5d8f"}, "ns/ReplicaSet/web"),
        (("DaemonSet", "agent"), {}, "ns/DaemonSet/agent"),
        (("StatefulSet", "db"), {}, "ns/StatefulSet/db"),
        (("Job", "build-27291190"), {}, "ns/CronJob/build"),
        (("Job", "build-1637473200"), {}, "ns/CronJob/build"),
        (("Job", "build-7"), {}, "ns/Job/build-7"),
        (None, {}, "ns/Pod/p"),
    ],
)
def test_owner(owner: tuple[str, str] | None, labels: dict[str, str], expected: str) -> None:
    (finding,) = check_docker_socket([pod(owner=owner, labels=labels)], [])
    assert finding.object == expected
    assert finding.summary.startswith(expected)


def test_one_finding_per_owner_lists_its_pods() -> None:
    pods = [pod(f"web-5d8f-{n}", owner=("ReplicaSet", "web-5d8f"), labels={"pod-template-hash": "5d8f"}) for n in "ba"]
    pods += [pod("a-1", owner=("DaemonSet", "a"))]
    agent, web = check_docker_socket(pods, [])
    assert (agent.object, agent.detail) == ("ns/DaemonSet/a", "pods: a-1")
    assert (web.object, web.detail) == ("ns/Deployment/web", "pods: web-5d8f-a, web-5d8f-b")


def test_static_pods_are_named_with_their_node() -> None:
    mirrors = [pod(f"builder-{node}", owner=("Node", node), node=node) for node in ("w1", "w2")]
    first, second = check_docker_socket(mirrors, [])
    assert (first.object, first.node) == ("ns/Pod/builder-w1", "w1")
    assert "on node w2" in second.summary


@pytest.mark.parametrize("allowed", ["ns/Deployment/web", "ns/ReplicaSet/web-5d8f"])
def test_an_allowed_owner_is_a_warning(allowed: str) -> None:
    web = pod(owner=("ReplicaSet", "web-5d8f"), labels={"pod-template-hash": "5d8f"})
    other = pod("x", owner=("DaemonSet", "web"))
    assert [one.level for one in check_docker_socket([web, other], [allowed])] == ["error", "warning"]
    assert [one.object for one in check_docker_socket([web, other], [allowed])] == [
        "ns/DaemonSet/web",
        "ns/Deployment/web",
    ]


@pytest.mark.parametrize(
    ("owner", "count"), [(None, 0), (("Job", "build"), 0), (("DaemonSet", "a"), 0), (("Job", "build-27291190"), 1)]
)
@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_finished_counts_only_where_it_runs_again(owner: tuple[str, str] | None, count: int, phase: str) -> None:
    assert len(check_docker_socket([pod(owner=owner, phase=phase)], [])) == count


def test_a_pod_without_volumes_or_owner() -> None:
    assert check_docker_socket([{"metadata": {"name": "p"}, "spec": {"containers": [{}]}}], []) == []
