from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cri_switch.checks.node_state import NodeState, check_node_state
from cri_switch.checks.skew import check_skew

GOOD = NodeState(
    node="w1",
    os_id="debian",
    os_version="11",
    kubelet_version="v1.20.2",
    flags_text='KUBELET_KUBEADM_ARGS="--network-plugin=cni"\n',
    containerd_candidate="1.4.13~ds1-1~deb11u4",
)


def test_nothing_in_the_way() -> None:
    assert check_node_state(GOOD) == []
    assert check_node_state(replace(GOOD, os_id="ubuntu", os_like=("debian",))) == []


@pytest.mark.parametrize(
    ("change", "level", "name", "words"),
    [
        ({"os_id": "rhel", "os_like": ("fedora",)}, "error", "UnsupportedDistribution", "rhel"),
        ({"os_id": ""}, "error", "UnsupportedDistribution", "unknown system"),
        ({"flags_text": None, "flags_file": "/x/f.env"}, "error", "FlagsFileMissing", "/x/f.env"),
        ({"flags_text": "A=b"}, "error", "FlagsFileUnreadable", "kubeadm-flags.env"),
        ({"foreign_containers": ("ci", "db")}, "error", "ForeignContainers", "ci, db"),
        ({"swarm_active": True}, "error", "SwarmActive", "swarm"),
        ({"containerd_candidate": ""}, "error", "ContainerdCandidateMissing", "containerd"),
        ({"crictl_present": False}, "warning", "CrictlMissing", "crictl"),
        ({"docker_active": False}, "warning", "DockerNotActive", "Docker"),
        ({"metadata_blackholed": True}, "warning", "MetadataBlackholed", "169.254.169.254"),
        ({"containerd_candidate": "2.1.9"}, "error", "VersionSkew", "v1alpha2"),
    ],
)
def test_each_finding_names_the_node(change: dict[str, Any], level: str, name: str, words: str) -> None:
    (finding,) = check_node_state(replace(GOOD, **change))
    assert (finding.level, finding.name, finding.node) == (level, name, "w1")
    assert words in finding.summary
    assert finding.summary.startswith("w1: ")
    assert finding.remedy or name == "FlagsFileUnreadable"


def test_foreign_containers_allowed_is_a_warning() -> None:
    (finding,) = check_node_state(replace(GOOD, foreign_containers=("ci",)), allow_foreign_containers=True)
    assert finding.level == "warning"


@pytest.mark.parametrize(
    ("kubelet", "containerd", "names"),
    [
        ("v1.20.2", "1.4.13", []),
        ("v1.23.0", "2.0.0", []),
        ("v1.22.9", "2.0.0", ["VersionSkew"]),
        ("v1.20.2", "1.6.20~ds1", []),
        ("v1.20.2", "1.6.3", ["ContainerdCniFault"]),
        ("v1.20.2", "1.6.30", []),
        ("v1.20.2", "1.2.6", ["VersionSkew"]),
        ("v1.24.0", "1.6.20", ["NotDockershim"]),
        ("v1.26.0", "1.5.9", ["NotDockershim", "VersionSkew"]),
        ("v1.36.0", "1.7.24", ["NotDockershim", "VersionSkew"]),
        ("v1.35.0", "1.7.24", ["NotDockershim"]),
        ("", "1.4.13", ["UnknownVersion"]),
        ("v1.20.2", "", []),
    ],
)
def test_skew(kubelet: str, containerd: str, names: list[str]) -> None:
    assert [one.name for one in check_skew("w1", kubelet, containerd)] == names
