from __future__ import annotations

from typing import Any

import pytest

from cri_switch.checks.docker_socket import check_docker_socket
from cri_switch.checks.mounted import claimed_paths


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


def dind(
    *, privileged: bool = True, image: str = "docker:20-dind", path: str = "/data", **more: list[str]
) -> dict[str, Any]:
    one = pod(path=path)
    one["spec"]["containers"][0] |= {"image": image, "securityContext": {"privileged": privileged}, **more}
    return one


def test_docker_in_docker_is_told_apart() -> None:
    (finding,) = check_docker_socket([dind()], [])
    assert (finding.level, finding.name) == ("warning", "DockerInDocker")
    (finding,) = check_docker_socket([dind(path="/run/docker.sock")], [])
    assert (finding.level, finding.name) == ("error", "DockerSocketMounted")


@pytest.mark.parametrize(
    ("image", "command", "args", "brings"),
    [
        ("acme/builder", ["/usr/local/bin/dockerd-entrypoint.sh"], [], True),
        ("acme/builder", ["sh", "-c", "dockerd --host=unix:///tmp/d.sock & make images"], [], True),
        ("acme/builder", ["/bin/sh", "-ec"], ["mount -a; /usr/bin/dockerd"], True),
        ("acme/builder", ["tini", "--", "dockerd"], [], True),
        ("acme/builder", [], ["dockerd"], True),
        ("docker", [], [], True),
        ("docker:24", [], [], True),
        ("docker:24.0.7-alpine3.18", [], ["--insecure-registry=r.lan"], True),
        ("docker.io/library/docker:24", [], [], True),
        ("harbor.lan:5000/hub/library/docker:24@sha256:ab", [], [], True),
        ("docker:dind", [], [], True),
        ("docker:24-dind-rootless", [], [], True),
        ("docker:24-cli", [], [], False),
        ("docker:git", [], [], False),
        ("docker:24", ["cat"], [], False),
        ("acme/docker-machine:1", [], [], False),
        ("acme/builder", ["cri-dockerd"], [], False),
        ("acme/builder", ["sh", "-c", "echo no dockerd-like thing"], [], False),
        ("acme/builder", ["run", "--dockerd"], [], False),
    ],
)
def test_which_containers_bring_a_docker(image: str, command: list[str], args: list[str], brings: bool) -> None:
    found = check_docker_socket([dind(image=image, command=command, args=args)], [])
    assert [(each.level, each.name) for each in found] == [("warning", "DockerInDocker")] * brings


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
    ("owner", "levels"),
    [
        (None, ["warning"]),
        (("Job", "build"), ["warning"]),
        (("Workflow", "w"), ["warning"]),
        (("DaemonSet", "a"), []),
        (("Job", "build-27291190"), ["error"]),
    ],
)
@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_finished_pods_are_warned_of(owner: tuple[str, str] | None, levels: list[str], phase: str) -> None:
    """Unless they run again; what controllers with a template start next, that says."""
    found = check_docker_socket([pod(owner=owner, phase=phase)], [])
    assert [(each.level, each.name) for each in found] == [(level, "DockerSocketMounted") for level in levels]
    assert all(("finished" in each.summary) is (each.level == "warning") for each in found)
    assert all(each.remedy for each in found)


def test_a_finished_pod_beside_one_that_runs_changes_nothing() -> None:
    pods = [pod("a", owner=("Runner", "r"), phase=phase) for phase in ("Failed", "Running", "Succeeded")]
    (finding,) = check_docker_socket(pods, [])
    assert finding.level == "error"
    assert "finished" not in finding.summary


def test_a_finished_job_that_is_still_listed_is_warned_of_by_its_pods() -> None:
    done = workload("Job", "build") | {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    (finding,) = check_docker_socket([pod("build-x", owner=("Job", "build"), phase="Succeeded")], [], [done])
    assert (finding.level, finding.object, finding.detail) == ("warning", "ns/Job/build", "pods: build-x")


def test_a_finished_docker_in_docker_is_over() -> None:
    assert check_docker_socket([dind() | {"status": {"phase": "Succeeded"}}], []) == []


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
        [
            workload("ReplicaSet", "o", owner=("Rollout", "web"), replicas=0),
            workload("ReplicaSet", "n", owner=("Rollout", "web"), replicas=2) | {"spec": {"template": {"spec": {}}}},
        ],
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


def revision(name: str, number: str, *, mounts: bool, made: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    found = workload("ReplicaSet", name, owner=("Rollout", "web"), replicas=0)
    found["metadata"] |= {"annotations": {"rollout.argoproj.io/revision": number}, "creationTimestamp": made}
    return found if mounts else found | {"spec": {"replicas": 0, "template": {"spec": {"containers": []}}}}


@pytest.mark.parametrize(
    ("revisions", "found"),
    [
        ([revision("a", "1", mounts=True)], ["ns/Rollout/web"]),
        ([revision("a", "9", mounts=False), revision("b", "10", mounts=True)], ["ns/Rollout/web"]),
        ([revision("b", "10", mounts=False), revision("a", "9", mounts=True)], []),
        ([revision("a", "", mounts=True), revision("b", "", mounts=False, made="2026-02-01T00:00:00Z")], []),
        ([revision("a", "", mounts=False), revision("b", "", mounts=True, made="2026-02-01T00:00:00Z")],
         ["ns/Rollout/web"]),
    ],
)  # fmt: skip
def test_of_an_unknown_owner_at_zero_the_newest_revision_counts(
    revisions: list[dict[str, Any]], found: list[str]
) -> None:
    assert [each.object for each in check_docker_socket([], [], revisions)] == found


def test_a_cron_job_is_named_by_the_references() -> None:
    objects = [workload("CronJob", "nightly"), workload("Job", "nightly-27291190", owner=("CronJob", "nightly"))]
    done = pod("p", owner=("Job", "nightly-27291190"), phase="Succeeded")
    (finding,) = check_docker_socket([done], [], objects)
    assert finding.object == "ns/CronJob/nightly"


def volume(path: str, *, kind: str = "hostPath", name: str = "pv", claim: str = "") -> dict[str, Any]:
    reference = {"claimRef": {"namespace": "ns", "name": claim}} if claim else {}
    return {"metadata": {"name": name}, "spec": {kind: {"path": path}} | reference}


def claim(name: str = "data", *, bound: str = "pv", namespace: str = "ns") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"volumeName": bound} if bound else {}}


def claiming(name: str = "data", *, owner: tuple[str, str] | None = None, sub_path: str = "") -> dict[str, Any]:
    one = pod(owner=owner, sub_path=sub_path)
    one["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": name}}]
    return one


@pytest.mark.parametrize(
    ("path", "kind", "level", "name"),
    [
        ("/var/run/docker.sock", "hostPath", "error", "DockerSocketMounted"),
        ("/run", "local", "error", "DockerSocketMounted"),
        ("/", "hostPath", "error", "DockerSocketMounted"),
        ("/var/lib/docker", "local", "error", "DockerDataMounted"),
        ("/var/lib/docker/containers", "hostPath", "warning", "DockerLogsMounted"),
        ("/opt/docker.sock", "hostPath", "warning", "DockerSocketNamed"),
    ],
)
def test_a_claim_that_leads_to_dockers_things(path: str, kind: str, level: str, name: str) -> None:
    claimed = claimed_paths([claim()], [volume(path, kind=kind)])
    (finding,) = check_docker_socket([claiming(owner=("StatefulSet", "db"))], [], (), claimed)
    assert (finding.level, finding.name, finding.object) == (level, name, "ns/StatefulSet/db")
    assert f"{path} (by PersistentVolumeClaim data and PersistentVolume pv)" in finding.summary


@pytest.mark.parametrize(
    ("claims", "volumes", "sub_path", "count"),
    [
        ([claim()], [volume("/srv/data")], "", 0),
        ([claim()], [volume("/run", kind="nfs")], "", 0),
        ([claim()], [volume("/run", name="other")], "", 0),
        ([claim(namespace="elsewhere")], [volume("/run")], "", 0),
        ([claim("another")], [volume("/run")], "", 0),
        ([claim(bound="")], [volume("/run")], "", 0),
        ([claim(bound="")], [volume("/run", claim="data")], "", 1),
        ([claim()], [volume("/run")], "flannel", 0),
        ([claim()], [volume("/run")], "docker.sock", 1),
        ([], [volume("/run")], "", 0),
    ],
)
def test_which_claims_count(
    claims: list[dict[str, Any]], volumes: list[dict[str, Any]], sub_path: str, count: int
) -> None:
    found = check_docker_socket([claiming(sub_path=sub_path)], [], (), claimed_paths(claims, volumes))
    assert len(found) == count


def test_the_claims_of_a_stateful_set_at_zero() -> None:
    sleeping = workload("StatefulSet", "db", replicas=0, volumeClaimTemplates=[{"metadata": {"name": "v"}}])
    sleeping["spec"]["template"]["spec"]["volumes"] = []
    claimed = claimed_paths([claim("v-db-0")], [volume("/run")])
    (finding,) = check_docker_socket([], [], [sleeping], claimed)
    assert (finding.name, finding.object) == ("DockerSocketMounted", "ns/StatefulSet/db")
    assert check_docker_socket([], [], [sleeping], claimed_paths([claim("v-web-0")], [volume("/run")])) == []


def test_of_two_mounts_of_one_volume_the_gravest_counts() -> None:
    one = pod(path="/var/lib/docker", sub_path="containers")
    mounts = one["spec"]["containers"][0]["volumeMounts"]
    mounts.insert(0, {"name": "v", "mountPath": "/y"})
    assert [each.name for each in check_docker_socket([one], [])] == ["DockerDataMounted"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/data/docker", ["DockerDataMounted"]),
        ("/data/docker/", ["DockerDataMounted"]),
        ("/data/docker/overlay2", ["DockerDataMounted"]),
        ("/data/docker/containers", ["DockerLogsMounted"]),
        ("/var/lib/docker", ["DockerDataMounted"]),
        ("/data", []),
        ("/data/docker2", []),
        ("/srv/data/docker", []),
    ],
)
def test_dockers_data_elsewhere(path: str, names: list[str]) -> None:
    found = check_docker_socket([pod(path=path)], [], roots=("/var/lib/docker", "/data/docker/"))
    assert [each.name for each in found] == names
    assert bool(check_docker_socket([pod(path=path)], [])) is (path == "/var/lib/docker")
