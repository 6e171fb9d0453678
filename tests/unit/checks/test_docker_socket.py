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
        "/run/cri-dockerd.sock",
        "/var/run/cri-dockerd.sock",
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
        "/var/lib",
        "/var/lib/docker-registry",
        "/var/lib/dockershim",
        "/usr/bin",
        "/usr/bin/docker-machine",
        "/etc",
        "/etc/docker-gc",
        "/home/docker",
        "/run/flannel",
        "/run/containerd/containerd.sock",
        "/var/log",
        "/var/run/docker",
    ],
)
def test_paths_that_do_not(path: str) -> None:
    assert check_docker_socket([pod(path=path)], []) == []


@pytest.mark.parametrize(
    ("path", "level", "name"),
    [
        ("/var/lib/docker", "error", "DockerDataMounted"),
        ("/var/lib/docker/overlay2", "error", "DockerDataMounted"),
        ("/var/lib/docker/containers", "warning", "DockerLogsMounted"),
        ("/var/lib/docker/containers/", "warning", "DockerLogsMounted"),
        ("/etc/docker", "warning", "DockerConfigMounted"),
        ("/etc/docker/certs.d", "warning", "DockerConfigMounted"),
        ("/usr/bin/docker", "error", "DockerBinaryMounted"),
        ("/usr/local/bin/docker", "error", "DockerBinaryMounted"),
    ],
)
def test_docker_without_its_socket(path: str, level: str, name: str) -> None:
    (finding,) = check_docker_socket([pod(path=path)], [])
    assert (finding.level, finding.name) == (level, name)
    assert finding.remedy


@pytest.mark.parametrize(
    ("path", "image", "words"),
    [
        ("/var/lib/docker/containers", "x", "/var/log/pods"),
        ("/var/lib/docker", "fluent/fluentd:v1", "/var/log/pods"),
        ("/run/docker.sock", "gitlab/gitlab-runner:15", "Buildah"),
        ("/run/docker.sock", "gcr.io/cadvisor/cadvisor:v0.44", "/run/containerd"),
        ("/run/docker.sock", "acme/thing", "Kaniko"),
        ("/etc/docker", "gitlab/gitlab-runner:15", "/etc/containerd"),
    ],
)
def test_the_remedy_goes_by_what_it_is(path: str, image: str, words: str) -> None:
    one = pod("thing", path=path)
    one["spec"]["containers"][0]["image"] = image
    (finding,) = check_docker_socket([one], [])
    assert words in finding.remedy


def test_several_of_dockers_things_are_one_finding_under_the_gravest() -> None:
    one = pod(path="/etc/docker")
    one["spec"]["volumes"].append({"name": "b", "hostPath": {"path": "/usr/bin/docker"}})
    one["spec"]["containers"].append({"name": "d", "volumeMounts": [{"name": "b", "mountPath": "/d"}]})
    (finding,) = check_docker_socket([one], [])
    assert finding.name == "DockerBinaryMounted"
    assert "/etc/docker, /usr/bin/docker" in finding.summary


def dind(*, privileged: bool = True, image: str = "docker:20-dind", path: str = "/data") -> dict[str, Any]:
    one = pod(path=path)
    one["spec"]["containers"][0] |= {"image": image, "securityContext": {"privileged": privileged}}
    return one


def test_docker_in_docker_is_told_apart() -> None:
    (finding,) = check_docker_socket([dind()], [])
    assert (finding.level, finding.name) == ("warning", "DockerInDocker")
    (finding,) = check_docker_socket([dind(path="/run/docker.sock")], [])
    assert (finding.level, finding.name) == ("error", "DockerSocketMounted")
    own = dind(image="acme/builder")
    own["spec"]["containers"][0]["command"] = ["/usr/local/bin/dockerd-entrypoint.sh"]
    assert [each.name for each in check_docker_socket([own], [])] == ["DockerInDocker"]


def test_a_container_without_privileges_or_another_image_is_no_docker_in_docker() -> None:
    assert check_docker_socket([dind(privileged=False), dind(image="acme/sending")], []) == []


@pytest.mark.parametrize("kind", ["containers", "initContainers", "ephemeralContainers"])
def test_any_kind_of_container_counts(kind: str) -> None:
    assert len(check_docker_socket([pod(containers=kind)], [])) == 1


def test_a_volume_that_nobody_mounts_does_not_count() -> None:
    assert check_docker_socket([pod(path="/etc/docker", mounted="e")], []) == []


@pytest.mark.parametrize(
    ("path", "mounted"),
    [
        ("/var/run/docker.sock.bak", "v"),
        ("/opt/docker.sock", "v"),
        ("/run/docker.sock.d/docker.sock", "v"),
        ("/var/run/docker.sock", "e"),
        ("/var/run/dockershim.sock", "e"),
    ],
)
def test_what_only_has_the_name_is_no_error(path: str, mounted: str) -> None:
    (finding,) = check_docker_socket([pod(path=path, mounted=mounted)], [])
    assert (finding.level, finding.name, finding.object) == ("warning", "DockerSocketNamed", "ns/Pod/p")
    assert path in finding.summary


def detected(found: dict[str, Any]) -> bool:
    """What kubectl-detector-for-docker-socket 0.3 says of a pod or template (its main.go, containsDockerSock)."""
    paths = [volume.get("hostPath", {}).get("path", "") for volume in found["spec"]["volumes"]]
    return any("docker.sock" in path or "dockershim.sock" in path for path in paths)


@pytest.mark.parametrize("mounted", ["v", "e"])
@pytest.mark.parametrize(
    "path",
    [
        "/var/run/docker.sock",
        "/run/dockershim.sock",
        "/x/docker.sock",
        "/docker.sock.d/x",
        "/var/lib/x",
        "/home/docker",
    ],
)
def test_all_that_the_detector_finds_is_found(path: str, mounted: str) -> None:
    one = pod(path=path, mounted=mounted)
    assert bool(check_docker_socket([one], [])) == detected(one)


@pytest.mark.parametrize(
    "path", ["/var/run", "/run", "/", "/run/cri-dockerd.sock", "/var/lib/docker", "/usr/bin/docker"]
)
def test_what_the_detector_misses_is_found_too(path: str) -> None:
    one = pod(path=path)
    assert not detected(one)
    assert check_docker_socket([one], [])


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


def workload(kind: str, name: str = "web", *, owner: tuple[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    template = {"spec": pod()["spec"] | {"nodeName": None}}
    body = {"jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else {"template": template}
    references = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    metadata = {"name": name, "namespace": "ns", "ownerReferences": references}
    return {"kind": kind, "metadata": metadata, "spec": body | spec}


@pytest.mark.parametrize(
    "kind",
    ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController"],
)
def test_templates_without_pods_count(kind: str) -> None:
    (finding,) = check_docker_socket([], [], [workload(kind, replicas=0)])
    assert (finding.level, finding.object, finding.detail) == (
        "error",
        f"ns/{kind}/web",
        "no pods now: in its template",
    )


def test_a_template_and_its_pods_are_one_finding() -> None:
    objects = [workload("Deployment"), workload("ReplicaSet", "web-1", owner=("Deployment", "web"))]
    (finding,) = check_docker_socket([pod("web-1-x", owner=("ReplicaSet", "web-1"))], [], objects)
    assert (finding.object, finding.detail) == ("ns/Deployment/web", "pods: web-1-x")


@pytest.mark.parametrize(
    "objects",
    [
        [
            workload("Deployment") | {"spec": {"template": {"spec": {}}}},
            workload("ReplicaSet", "o", owner=("Deployment", "web")),
        ],
        [workload("ReplicaSet", "o", owner=("Rollout", "web"), replicas=0)],
        [workload("Job") | {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}],
        [{"kind": "Deployment", "metadata": {"name": "x"}, "spec": {}}],
    ],
)
def test_what_will_start_no_pod_is_silent(objects: list[dict[str, Any]]) -> None:
    assert check_docker_socket([], [], objects) == []


def test_an_owner_of_a_kind_that_nobody_knows_is_named() -> None:
    objects = [workload("StatefulSet", "db", owner=("Postgres", "main"))]
    (finding,) = check_docker_socket([pod("db-0", owner=("StatefulSet", "db"))], [], objects)
    assert finding.object == "ns/Postgres/main"
    (finding,) = check_docker_socket([pod("x", owner=("Runner", "r"))], [], objects[:0])
    assert finding.object == "ns/Runner/r"
    (allowed,) = check_docker_socket([], ["ns/StatefulSet/db"], objects)
    assert allowed.level == "warning"


def test_a_cron_job_is_named_by_the_references() -> None:
    objects = [workload("CronJob", "nightly"), workload("Job", "nightly-27291190", owner=("CronJob", "nightly"))]
    done = pod("p", owner=("Job", "nightly-27291190"), phase="Succeeded")
    (finding,) = check_docker_socket([done], [], objects)
    assert finding.object == "ns/CronJob/nightly"
