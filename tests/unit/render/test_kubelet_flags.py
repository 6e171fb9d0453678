from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cri_switch.render.errors import RenderError
from cri_switch.render.kubelet_flags import carried, flag_value, network_of_docker, switch_flags

ENDPOINT = "unix:///run/containerd/containerd.sock"
REMOTE = f"--container-runtime=remote --container-runtime-endpoint={ENDPOINT}"


def switched(text: str, version: str = "v1.20.2") -> str:
    return switch_flags(text, endpoint=ENDPOINT, kubelet_version=version)


def test_lab_line_exactly() -> None:
    before = 'KUBELET_KUBEADM_ARGS="--network-plugin=cni --pod-infra-container-image=k8s.gcr.io/pause:3.2"\n'
    assert switched(before) == (
        'KUBELET_KUBEADM_ARGS="--pod-infra-container-image=k8s.gcr.io/pause:3.2 --container-runtime=remote'
        ' --container-runtime-endpoint=unix:///run/containerd/containerd.sock"\n'
    )


@pytest.mark.parametrize(
    ("version", "value", "expected"),
    [
        ("v1.20.2", "", REMOTE),
        ("v1.23.17", "--v=2", f"--v=2 {REMOTE}"),
        ("v1.24.0", "--v=2", f"--v=2 --container-runtime-endpoint={ENDPOINT}"),
        ("v1.25.3", "--container-runtime=remote --v=2", f"--container-runtime=remote --v=2 {REMOTE.split()[1]}"),
        ("v1.26.0", "--container-runtime=docker --v=2", f"--v=2 {REMOTE.split()[1]}"),
        ("v1.27.0", REMOTE, REMOTE.split()[1]),
        ("v1.34.1", "--pod-infra-container-image=p:1", f"--pod-infra-container-image=p:1 {REMOTE.split()[1]}"),
        ("v1.35.0", "--pod-infra-container-image p:1", REMOTE.split()[1]),
        ("v1.20.2", "--network-plugin cni --v=2", f"--v=2 {REMOTE}"),
        ("v1.20.2", "--network_plugin=cni", REMOTE),
        ("v1.20.2", "--v=2  --network-plugin-mtu=1400   --a", f"--v=2  --a {REMOTE}"),
        ("v1.20.2", "--cni-bin-dir=/x --cni-conf-dir /y --cni-cache-dir=/z", REMOTE),
        ("v1.20.2", "--docker-tls --v 2 --docker-endpoint unix:///d --docker=x", f"--v 2 {REMOTE}"),
        ("v1.20.2", "--image-pull-progress-deadline=2m --experimental-dockershim-root-directory=/d", REMOTE),
        ("v1.20.2", "--a=1 --a=2 --bare --b c", f"--a=1 --a=2 --bare --b c {REMOTE}"),
        ("v1.20.2", "--node-labels=a='b c',d=e", f"--node-labels=a='b c',d=e {REMOTE}"),
        ("v1.20.2", f"{REMOTE.split()[1]} --v=2", f"{REMOTE.split()[1]} --v=2 --container-runtime=remote"),
        ("v1.20.2", "--container-runtime-endpoint=/run/containerd/containerd.sock", REMOTE),
        ("v1.20.2", f"{REMOTE} --container-runtime=docker", f"{REMOTE.split()[1]} --container-runtime=remote"),
        ("v1.20.2", f"--container-runtime remote --container-runtime-endpoint {ENDPOINT}", None),
        ("v1.20.2", REMOTE + " --network-plugin", REMOTE),
        ("v1.20.2", "--cnifoo=1 --dockerx", f"--cnifoo=1 {REMOTE}"),
    ],
)
def test_flags_by_version(version: str, value: str, expected: str | None) -> None:
    result = switched(f'KUBELET_KUBEADM_ARGS="{value}"\n', version)
    assert result == f'KUBELET_KUBEADM_ARGS="{value if expected is None else expected}"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# c\n\nA=b \nKUBELET_KUBEADM_ARGS='--v=1'\n;x", f"# c\n\nA=b \nKUBELET_KUBEADM_ARGS='--v=1 {REMOTE}'\n;x"),
        ("KUBELET_KUBEADM_ARGS=--v=1 ", f"KUBELET_KUBEADM_ARGS=--v=1 {REMOTE} "),
        ("KUBELET_KUBEADM_ARGS=\n", f"KUBELET_KUBEADM_ARGS={REMOTE}\n"),
        ('KUBELET_KUBEADM_ARGS="--v=1"', f'KUBELET_KUBEADM_ARGS="--v=1 {REMOTE}"'),
        ('KUBELET_KUBEADM_ARGS="--v=1"\r\nB=c\r\n', f'KUBELET_KUBEADM_ARGS="--v=1 {REMOTE}"\r\nB=c\r\n'),
        ('KUBELET_EXTRA_ARGS="--cni-bin-dir=/x"\n', f'KUBELET_EXTRA_ARGS="{REMOTE}"\n'),
        (
            'KUBELET_EXTRA_ARGS="--network-plugin=cni --x"\nKUBELET_KUBEADM_ARGS="--v=1"\n',
            f'KUBELET_EXTRA_ARGS="--x"\nKUBELET_KUBEADM_ARGS="--v=1 {REMOTE}"\n',
        ),
        ('KUBELET_KUBEADM_ARGS="--l=\\"a b\\" --docker-only"\n', f'KUBELET_KUBEADM_ARGS="--l=\\"a b\\" {REMOTE}"\n'),
    ],
)
def test_only_the_flags_change(text: str, expected: str) -> None:
    assert switched(text) == expected
    assert switched(expected) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('A=b\nKUBELET_KUBEADM_ARGS="--v=1\n', 2),
        ("KUBELET_KUBEADM_ARGS='--v=1\n", 1),
        ('KUBELET_KUBEADM_ARGS="--v=1" --x\n', 1),
        ("KUBELET_KUBEADM_ARGS=--v=1 \\\n --x\n", 1),
        ('KUBELET_KUBEADM_ARGS="--l=\'a b"\n', 1),
        ('KUBELET_KUBEADM_ARGS=""\nKUBELET_KUBEADM_ARGS=""\n', 2),
        ("# KUBELET_KUBEADM_ARGS=x\nA=b\n", 0),
        ("", 0),
    ],
)
def test_refused_with_path_and_line(text: str, line: int) -> None:
    with pytest.raises(RenderError) as caught:
        switch_flags(text, endpoint=ENDPOINT, kubelet_version="v1.20.2", path="/etc/f.env")
    assert (caught.value.path, caught.value.line, caught.value.exit_code) == ("/etc/f.env", line, 3)
    assert str(caught.value).startswith(f"/etc/f.env:{line}: " if line else "/etc/f.env: ")


@pytest.mark.parametrize("endpoint", ["", "unix:///a b", 'unix:///a"'])
def test_endpoint_that_needs_quotes_is_refused(endpoint: str) -> None:
    with pytest.raises(RenderError):
        switch_flags('KUBELET_KUBEADM_ARGS=""', endpoint=endpoint, kubelet_version="v1.20.2")


@pytest.mark.parametrize("version", ["", "latest", "v2.0.0"])
def test_unknown_version_is_refused(version: str) -> None:
    with pytest.raises(RenderError, match="kubelet version"):
        switched('KUBELET_KUBEADM_ARGS=""', version)


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        ("--a=1 --a=2", "a", "2"),
        ("--a b", "a", "b"),
        ("--a --b", "a", "true"),
        ("--cgroup_driver=systemd", "cgroup-driver", "systemd"),
        ("--container-runtime-endpoint=x", "container-runtime", None),
        ("--a='b c'", "a", "b c"),
    ],
)
def test_flag_value(value: str, name: str, expected: str | None) -> None:
    assert flag_value(f'KUBELET_KUBEADM_ARGS="{value}"', name) == expected


def test_extra_args_win() -> None:
    assert flag_value('KUBELET_EXTRA_ARGS="--a=2"\nKUBELET_KUBEADM_ARGS="--a=1"\n', "a") == "2"


@pytest.mark.parametrize(
    ("flags", "elsewhere", "version", "dockers"),
    [
        ("--v=2", (), "v1.20.2", True),
        ("--v=2", ("cgroup-driver",), "v1.23.17", True),
        ("--v=2", (), "v1.24.0", False),
        ("--v=2", ("network-plugin",), "v1.20.2", False),
        ("--v=2", ("container-runtime-endpoint",), "v1.20.2", False),
        ("--network-plugin=cni", (), "v1.20.2", False),
        ("--network_plugin kubenet", (), "v1.20.2", False),
        ("--container-runtime=remote --container-runtime-endpoint=unix:///c.sock", (), "v1.20.2", False),
        ("--network-plugin-mtu=9000", (), "v1.20.2", True),
    ],
)
def test_whose_the_pods_network_is(flags: str, elsewhere: tuple[str, ...], version: str, dockers: bool) -> None:
    text = f'KUBELET_KUBEADM_ARGS="{flags}"\n'
    assert network_of_docker(text, elsewhere=elsewhere, kubelet_version=version) is dockers


def test_carried() -> None:
    text = 'KUBELET_KUBEADM_ARGS="--cni-bin-dir /x --cgroup-driver=systemd --pod-infra-container-image=p:1 --v=2"'
    assert carried(text) == {"cni-bin-dir": "/x", "pod-infra-container-image": "p:1", "cgroup-driver": "systemd"}


NAMES = st.sampled_from(
    [
        "v",
        "a",
        "network-plugin",
        "cni-bin-dir",
        "docker-tls",
        "container-runtime",
        "container-runtime-endpoint",
        "docker",
    ]
)
VALUES = st.sampled_from(["", "=remote", "=docker", " cni", "=/x", f"={ENDPOINT}", "='a b'", f" {ENDPOINT}"])
LINES = st.lists(st.sampled_from(["# --network-plugin=cni", "", "A=b", " ;x"]), max_size=3)


@given(
    st.lists(st.tuples(NAMES, VALUES), max_size=8),
    LINES,
    LINES,
    st.sampled_from(["v1.20.2", "v1.23.0", "v1.24.1", "v1.26.0", "v1.27.0", "v1.35.0"]),
    st.sampled_from(["", "\n"]),
)
@example([("docker", ""), ("container-runtime", "=docker")], [], [], "v1.20.2", "")
def test_twice_is_once_and_the_rest_stays(
    flags: list[tuple[str, str]], before: list[str], after: list[str], version: str, end: str
) -> None:
    value = " ".join(f"--{name}{given_value}" for name, given_value in flags)
    text = "\n".join([*before, f'KUBELET_KUBEADM_ARGS="{value}"', *after]) + end
    once = switched(text, version)
    assert switched(once, version) == once
    assert flag_value(once, "container-runtime-endpoint") == ENDPOINT
    assert flag_value(once, "container-runtime") in (("remote",) if version < "v1.24" else ("remote", None))
    for gone in ("network-plugin", "cni-bin-dir", "docker-tls", "docker"):
        assert flag_value(once, gone) is None
    others = [line for line in text.splitlines() if not line.startswith("KUBELET_")]
    assert [line for line in once.splitlines() if not line.startswith("KUBELET_")] == others
    kept = [name + given_value for name, given_value in flags if name in ("v", "a")]
    assert all(f"--{flag}" in once for flag in kept)
    assert once.endswith("\n") == text.endswith("\n")
