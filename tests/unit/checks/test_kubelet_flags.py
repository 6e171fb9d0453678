"""What the kubelet loses with dockershim is told, and nothing else is."""

from __future__ import annotations

import pytest

from cri_switch.checks.kubelet_flags import (
    check_environment_file,
    check_flags_elsewhere,
    check_flags_not_carried,
    check_network_of_docker,
)
from cri_switch.render.errors import RenderError


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ("--network-plugin=cni --cni-bin-dir=/x", []),
        ("--docker-endpoint=unix:///x.sock", []),
        ("--network-plugin=kubenet", ["KubeletNetworkNotCni"]),
        ("--image-pull-progress-deadline=5m", ["KubeletFlagNotCarried"]),
    ],
)
def test_flags(flags: str, names: list[str]) -> None:
    found = check_flags_not_carried(f'KUBELET_KUBEADM_ARGS="{flags}"\n', "/flags.env")
    assert [each.name for each in found] == names


def test_lines_that_systemd_leaves_out() -> None:
    found = check_flags_not_carried("A=b\nwhat\n# no\n;no\n\nexport C=d\nKUBELET_KUBEADM_ARGS=--v=2\n", "/flags.env")
    assert [(each.name, each.summary.partition(" ")[0]) for each in found] == [
        ("FlagsFileLineIgnored", "/flags.env:2:"),
        ("FlagsFileLineIgnored", "/flags.env:6:"),
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("KUBELET_EXTRA_ARGS=--v=2\n", []),
        ("KUBELET_EXTRA_ARGS=--v=2\nKUBELET_KUBEADM_ARGS=--x\n# KUBELET_EXTRA_ARGS=\n", []),
        ('KUBELET_EXTRA_ARGS="--v=2 \\\n  --x"\n', []),
        ("what\n", ["FlagsFileLineIgnored"]),
    ],
)
def test_another_environment_file(text: str, names: list[str]) -> None:
    """It is not edited, so what systemd understands is enough."""
    assert [each.name for each in check_environment_file(text, "/etc/default/kubelet", "w1")] == names


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("KUBELET_EXTRA_ARGS=--v=2\n\nKUBELET_EXTRA_ARGS=--x\n", "/e:3: KUBELET_EXTRA_ARGS is set twice"),
        ('\nKUBELET_EXTRA_ARGS="--v=2 \\\n --x\n', "/e:2: KUBELET_EXTRA_ARGS: a quote is not closed"),
        ("KUBELET_EXTRA_ARGS=--x='a\n", "/e:1: KUBELET_EXTRA_ARGS: a quote is not closed"),
    ],
)
def test_another_environment_file_that_systemd_takes_otherwise(text: str, says: str) -> None:
    with pytest.raises(RenderError, match=says):
        check_environment_file(text, "/e")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ({}, []),
        ({"network-plugin": "u: --network-plugin=cni", "docker-endpoint": "u: --docker-endpoint=x"}, []),
        ({"image-pull-progress-deadline": "u: --image-pull-progress-deadline=5m"}, ["u: --image-pull-progress-dead"]),
        ({"network-plugin-mtu": "e: both", "docker-tls": "e: both"}, ["in the flags file: e: both"]),
    ],
)
def test_flags_elsewhere(lines: dict[str, str], says: list[str]) -> None:
    found = check_flags_elsewhere(lines, "w1")
    assert [(each.level, each.name, each.node) for each in found] == [("warning", "KubeletFlagNotCarried", "w1")] * len(
        says
    )
    assert all(
        word in each.summary and each.summary.count("e: both") < 2 for each, word in zip(found, says, strict=True)
    )


@pytest.mark.parametrize(
    ("configs", "level", "says"),
    [
        ((), "error", "/etc/cni/net.d has no configuration"),
        (("/etc/cni/net.d/10-x.conflist",), "warning", "will go by /etc/cni/net.d/10-x.conflist"),
    ],
)
def test_a_network_of_dockers(configs: tuple[str, ...], level: str, says: str) -> None:
    found = check_network_of_docker("/etc/cni/net.d", configs, "w1")
    assert (found.level, found.name, found.node) == (level, "KubeletNetworkNotCni", "w1")
    assert says in found.summary
    assert found.remedy
