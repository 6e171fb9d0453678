from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cri_switch.checks.machine import NEEDED_PROGRAMS
from cri_switch.checks.node_state import check_node_state
from cri_switch.checks.skew import check_skew
from cri_switch.checks.state import Store
from tests.unit.checks.good_node import GOOD


def test_nothing_in_the_way() -> None:
    assert check_node_state(GOOD) == []
    assert check_node_state(replace(GOOD, os_id="ubuntu", os_like=("debian",))) == []
    carried = "--network-plugin=cni --cni-bin-dir=/x --cni-conf-dir=/y --docker-endpoint=unix:///var/run/docker.sock"
    assert check_node_state(replace(GOOD, flags_text=f'KUBELET_KUBEADM_ARGS="{carried} --v=2"')) == []


@pytest.mark.parametrize(
    ("change", "level", "name", "words"),
    [
        ({"os_id": "rhel", "os_like": ("fedora",)}, "error", "UnsupportedDistribution", "rhel"),
        ({"os_id": ""}, "error", "UnsupportedDistribution", "unknown system"),
        ({"flags_text": None, "flags_file": "/x/f.env"}, "error", "FlagsFileMissing", "/x/f.env"),
        ({"flags_text": "A=b"}, "error", "FlagsFileUnreadable", "kubeadm-flags.env"),
        (
            {"flags_text": 'KUBELET_KUBEADM_ARGS="--network-plugin=kubenet --non-masquerade-cidr=10.0.0.0/8"'},
            "error",
            "KubeletNetworkNotCni",
            "--network-plugin=kubenet",
        ),
        (
            {"flags_text": 'KUBELET_KUBEADM_ARGS="--network-plugin=cni --image-pull-progress-deadline=5m"'},
            "warning",
            "KubeletFlagNotCarried",
            "--image-pull-progress-deadline=5m",
        ),
        (
            {"environment_files": {"/etc/default/kubelet": "KUBELET_EXTRA_ARGS=\nKUBELET_EXTRA_ARGS=--v=2\n"}},
            "error",
            "FileNotUnderstood",
            "/etc/default/kubelet:2: KUBELET_EXTRA_ARGS is set twice",
        ),
        ({"environment_files": {"/e": "what\n"}}, "warning", "FlagsFileLineIgnored", "/e:1"),
        ({"dropped_elsewhere": {"docker-tls": "u: --docker-tls"}}, "warning", "KubeletFlagNotCarried", "u: --docker"),
        ({"network_of_docker": True}, "error", "KubeletNetworkNotCni", "no --network-plugin"),
        ({"network_of_docker": True, "cni_configs": ("/c/1",)}, "warning", "KubeletNetworkNotCni", "/c/1"),
        ({"foreign_containers": ("ci", "db")}, "error", "ForeignContainers", "ci, db"),
        ({"proxy_not_carried": ("HTTP_PROXY",)}, "warning", "DockerProxyNotCarried", "HTTP_PROXY"),
        ({"registry_certs": ("r.example:5000",)}, "warning", "RegistryCertsNotCarried", "r.example:5000"),
        ({"swarm_active": True}, "error", "SwarmActive", "swarm"),
        ({"containerd_candidate": ""}, "error", "ContainerdCandidateMissing", "containerd"),
        ({"missing_programs": ("crictl",)}, "error", "CrictlMissing", "crictl"),
        ({"missing_programs": ("ping",)}, "error", "ProgramMissing", "ping"),
        ({"missing_programs": ("pgrep",)}, "error", "ProgramMissing", "pgrep"),
        ({"missing_programs": ("curl",)}, "error", "ProgramMissing", "curl"),
        ({"docker_active": False}, "warning", "DockerNotActive", "Docker"),
        ({"metadata_blackholed": True}, "warning", "MetadataBlackholed", "169.254.169.254"),
        ({"containerd_candidate": "2.1.9"}, "error", "VersionSkew", "v1alpha2"),
        ({"kubelet_needs_docker": ("u: Requires=docker.service",)}, "error", "KubeletNeedsDocker", "Requires="),
        ({"foreign_flags": ("f: --container-runtime=docker",)}, "error", "KubeletFlagElsewhere", "=docker"),
        ({"live_restore": True}, "warning", "LiveRestore", "live-restore"),
        ({"foreign_containers": ("etcd1",), "etcd_containers": ("etcd1",)}, "error", "EtcdInDocker", "etcd1"),
        ({"daemon_json": "{"}, "error", "FileNotUnderstood", "/etc/docker/daemon.json:1"),
        ({"config_toml": "version = 2\n[a\n"}, "error", "FileNotUnderstood", "/etc/containerd/config.toml:2"),
        ({"config_toml": "version = 3\n"}, "error", "FileNotUnderstood", "version = 3 is not one"),
        ({"crictl_yaml": "a: [\n"}, "error", "FileNotUnderstood", "/etc/crictl.yaml:2"),
        (
            {"settings": {"/etc/docker/daemon.json": '{"debug": true,\n"debug": false}'}},
            "warning",
            "DuplicateKey",
            "/etc/docker/daemon.json:2: debug is set again, first in line 1",
        ),
        ({"settings": {"/k.yaml": "a: b\na: c\n"}}, "warning", "DuplicateKey", "/k.yaml:2: a is set"),
        ({"daemon_json": '{"log-driver": "syslog"}'}, "warning", "DockerLogOptions", "syslog"),
        ({"would_remove": ("containerd.io", "docker-ce")}, "error", "InstallRemovesPackages", "docker-ce"),
        ({"pending_packages": ("libc6",)}, "error", "PackagesPending", "libc6"),
        ({"held_packages": ("docker.io",)}, "warning", "PackageHeld", "docker.io"),
        ({"containerd_programs": ("/usr/bin/c", "/usr/local/bin/c")}, "warning", "TwoContainerds", "/usr/local"),
        ({"cri_dockerd_active": True}, "warning", "CriDockerdActive", "cri-dockerd"),
        ({"sudo_programs": frozenset(NEEDED_PROGRAMS) - {"ctr"}}, "error", "SudoRuleIncomplete", "ctr"),
        ({"clock_skew": 7.0, "clock_error": 0.1}, "warning", "ClockSkew", "7 s ahead of"),
        ({"clock_skew": -7.0}, "warning", "ClockSkew", "7 s behind"),
        ({"selinux_enforcing": True}, "warning", "SelinuxEnforcing", "SELinux"),
        (
            {"apparmor": True, "os_id": "ubuntu", "os_like": ("debian",), "os_version": "24.04"},
            "warning",
            "AppArmor",
            "24.04",
        ),
        ({"stale_mounts": ("/x/tmpmounts/y",)}, "warning", "StaleMounts", "1 mounts"),
        ({"host_lines": ("/etc/cron.d/x: docker ps",)}, "warning", "HostUsesDocker", "/etc/cron.d/x"),
        ({"socket_processes": ("agent (pid 7)",)}, "warning", "DockerSocketInUse", "agent"),
    ],
)
def test_each_finding_names_the_node(change: dict[str, Any], level: str, name: str, words: str) -> None:
    (finding,) = check_node_state(replace(GOOD, **change))
    assert (finding.level, finding.name, finding.node) == (level, name, "w1")
    assert words in finding.summary
    assert finding.summary.startswith("w1: ")
    assert finding.remedy


@pytest.mark.parametrize(
    "change",
    [
        {"clock_skew": 7.0, "clock_error": 3.0},
        {"clock_skew": 4.0},
        {"apparmor": True},
        {"apparmor": True, "os_id": "ubuntu", "os_like": ("debian",), "os_version": "22.04"},
        {"sudo_programs": frozenset(NEEDED_PROGRAMS)},
        {"containerd_programs": ("/usr/bin/containerd",)},
        {"environment_files": {"/etc/default/kubelet": "KUBELET_EXTRA_ARGS=--v=2\n"}},
        {"settings": {"/etc/docker/daemon.json": "{}", "/k.yaml": "a: {b: c}\nb: c\n", "/broken.yaml": "a: ["}},
        {"cni_configs": ("/etc/cni/net.d/10-x.conflist",)},
        {"config_toml": 'disabled_plugins = ["cri"]\n', "crictl_yaml": "timeout: 10\n"},
        {"daemon_json": '{"insecure-registries": ["a:5000"], "bip": "10.0.0.1/24"}'},
    ],
)
def test_silent(change: dict[str, Any]) -> None:
    assert check_node_state(replace(GOOD, **change)) == []


def test_etcd_in_docker_is_never_allowed() -> None:
    state = replace(GOOD, foreign_containers=("ci", "etcd1"), etcd_containers=("etcd1",))
    found = check_node_state(state, allow_foreign_containers=True)
    assert [(one.level, one.name) for one in found] == [("error", "EtcdInDocker"), ("warning", "ForeignContainers")]
    assert "etcd1" not in found[1].summary


GB = 10**9


@pytest.mark.parametrize(
    ("free", "images", "eviction", "names"),
    [
        (50, 10, {}, []),
        (50, 36, {}, ["DiskBelowThreshold"]),
        (50, 34, {}, []),
        (50, 50, {}, ["NotEnoughDisk"]),
        (50, 48, {"nodefs.available": "1%"}, []),
        (50, 48, {"nodefs.available": "3Gi"}, ["DiskBelowThreshold"]),
        (50, 0, {}, []),
    ],
)
def test_room(free: int, images: int, eviction: dict[str, str], names: list[str]) -> None:
    stores = {"/var/lib": Store("/", 100 * GB, free * GB)}
    state = replace(GOOD, stores=stores, image_bytes=images * GB, eviction=eviction)
    assert [one.name for one in check_node_state(state)] == names


def test_room_is_that_of_containerds_own_disk() -> None:
    stores = {"/var/lib": Store("/", 100 * GB, 1), "/var/lib/containerd": Store("/c", 100 * GB, 90 * GB)}
    assert check_node_state(replace(GOOD, stores=stores, image_bytes=5 * GB)) == []


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
    found = check_skew("w1", kubelet, containerd)
    assert [one.name for one in found] == names
    assert all(one.remedy for one in found)
