from __future__ import annotations

import pytest

from cri_switch.model.errors import NotProven
from cri_switch.node.command import Result
from cri_switch.node.facts.kubelet import KUBELET_STARTED, PAUSE_IMAGE, parse_kubelet_config
from cri_switch.node.facts.kubelet_flags import docker_requirements, environment_files, foreign_flags
from cri_switch.render.errors import RenderError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("ExecMainStartTimestamp=Mon 2026-11-23 19:17:57 UTC\n", 1795461477.0),
        ("ExecMainStartTimestamp=\n", 0.0),
        ("ExecMainStartTimestamp=n/a\n", 0.0),
    ],
)
def test_the_kubelets_start_is_asked_for_in_utc(text: str, seconds: float) -> None:
    assert KUBELET_STARTED.parse(Result(0, text)) == seconds
    assert "TZ=UTC" in KUBELET_STARTED.command.shell()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('KUBELET_EXTRA_ARGS="--container-runtime=docker --v=2"', [("container-runtime", "docker")]),
        ("X=--container-runtime-endpoint unix:///a.sock", [("container-runtime-endpoint", "unix:///a.sock")]),
        ("X=\"--container-runtime='docker'\"", [("container-runtime", "docker")]),
        ("X=--container_runtime=docker", [("container-runtime", "docker")]),
        ("X=--node-ip=10.0.0.1", []),
        ("X=--my-cgroup-driver=systemd", []),
        ("X=--cgroup-driver=systemd", [("cgroup-driver", "systemd")]),
        ("# X=--cgroup-driver=systemd", []),
        ("X=--image-pull-progress-deadline=5m", [("image-pull-progress-deadline", "5m")]),
        ("X=--network-plugin-mtu=1400", [("network-plugin-mtu", "1400")]),
        ("X=--docker-endpoint=unix:///x.sock", [("docker-endpoint", "unix:///x.sock")]),
        ("X=--experimental-dockershim-root-directory=/x", [("experimental-dockershim-root-directory", "/x")]),
        ("X=--feature-gates=docker=true", []),
    ],
)
def test_flags_elsewhere_are_found_by_whole_names(line: str, found: list[tuple[str, str]]) -> None:
    assert [(f.name, f.value) for f in foreign_flags("", f"/etc/default/kubelet:{line}")] == found
    assert [(f.name, f.value) for f in foreign_flags(f"# /lib/x.service\n{line}", "")] == found


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("Requires=docker.service", True),
        ("BindsTo=foo.service docker.socket", True),
        ("After=docker.service", False),
        ("Wants=docker.service", False),
        ("Requires=mydocker.target", False),
        ("ExecStartPre=/usr/bin/docker info", True),
        ("ExecStartPre=/bin/true", False),
    ],
)
def test_requirements_of_docker(line: str, needs: bool) -> None:
    assert bool(docker_requirements(f"# /lib/x.service\n{line}\n")) is needs


def test_config_and_pause_image() -> None:
    assert parse_kubelet_config("cgroupDriver: systemd\nstaticPodPath: /m\n").cgroup_driver == "systemd"
    assert parse_kubelet_config(None).cgroup_driver == ""
    with pytest.raises(RenderError):
        parse_kubelet_config("- a\n")
    assert (
        PAUSE_IMAGE.parse(Result(0, '{"config": {"sandboxImage": "k8s.gcr.io/pause:3.2"}}')) == "k8s.gcr.io/pause:3.2"
    )
    with pytest.raises(NotProven, match="verify_image"):
        PAUSE_IMAGE.parse(Result(1, "", "no such file"))


@pytest.mark.parametrize(
    ("line", "agrees"),
    [
        ("X=--network-plugin=cni", True),
        ("X=--network-plugin=kubenet", False),
        ("X=--container-runtime=remote", True),
        ("X=--image-pull-progress-deadline=5m", True),
        ("X=--container-runtime=docker", False),
        ("X=--container-runtime-endpoint=unix:///run/containerd/containerd.sock", True),
        ("X=--container-runtime-endpoint=unix:///run/crio.sock", False),
    ],
)
def test_a_flag_elsewhere_that_does_no_harm(line: str, agrees: bool) -> None:
    (found,) = foreign_flags("", f"/etc/default/kubelet:{line}")
    assert found.agrees("unix:///run/containerd/containerd.sock") is agrees


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], ["/etc/default/kubelet", "/etc/sysconfig/kubelet"]),
        (["-/etc/default/kubelet"], ["/etc/default/kubelet", "/etc/sysconfig/kubelet"]),
        (
            ["/etc/kubernetes/kubelet.env"],
            ["/etc/kubernetes/kubelet.env", "/etc/default/kubelet", "/etc/sysconfig/kubelet"],
        ),
        (['-"/etc/a.env"', "/flags"], ["/etc/a.env", "/etc/default/kubelet", "/etc/sysconfig/kubelet"]),
        (["/etc/a.env", "", "/etc/b.env"], ["/etc/b.env", "/etc/default/kubelet", "/etc/sysconfig/kubelet"]),
        (["/etc/kubelet.d/*.env", "%h/x", "x"], ["/etc/default/kubelet", "/etc/sysconfig/kubelet"]),
    ],
)
def test_the_environment_files_that_the_unit_names(lines: list[str], found: list[str]) -> None:
    unit = "# /etc/x.conf\n[Service]\n" + "".join(f"EnvironmentFile={line}\n" for line in lines)
    assert list(environment_files(unit, "/flags")) == found


def test_a_flags_file_of_the_settings_is_no_other_file() -> None:
    assert environment_files("", "/etc/default/kubelet") == ("/etc/sysconfig/kubelet",)
