"""What Docker's settings do not survive is told, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cri_switch.checks.not_carried import check_not_carried
from cri_switch.render.docker_daemon import parse_daemon_json


@pytest.mark.parametrize(
    ("daemon", "name", "says"),
    [
        ({"log-driver": "journald"}, "DockerLogOptions", "log driver journald"),
        ({"log-opts": {"max-size": "10m"}}, "DockerLogOptions", "(max-size)"),
        ({"default-runtime": "nvidia"}, "DockerDefaultRuntime", "default-runtime nvidia"),
        ({"data-root": "/data"}, "DockerDataRoot", "data-root is /data"),
        ({"graph": "/data"}, "DockerDataRoot", "data-root is /data"),
        ({"insecure-registries": ["10.0.0.0/8", "r:5000"]}, "RegistryNotCarried", "these registries: 10.0.0.0/8"),
        ({"runtimes": {}, "dns": ["10.0.0.53"]}, "DockerSettingNotCarried", "not carried over: dns, runtimes"),
    ],
)
def test_daemon_json(daemon: dict[str, Any], name: str, says: str) -> None:
    (found,) = check_not_carried(parse_daemon_json(json.dumps(daemon)), "w1")
    assert (found.level, found.name, found.node) == ("warning", name, "w1")
    assert says in found.summary
    assert found.remedy


@pytest.mark.parametrize(
    "daemon",
    [
        {},
        {"log-driver": "json-file", "default-runtime": "runc", "data-root": "/var/lib/docker"},
        {"insecure-registries": ["r:5000"], "registry-mirrors": ["https://m"]},
        {"exec-opts": ["native.cgroupdriver=systemd"]},
        {"bip": "172.30.0.1/24", "iptables": False, "debug": True, "live-restore": True, "storage-driver": "overlay2"},
    ],
)  # fmt: skip
def test_daemon_json_of_which_nothing_is_lost(daemon: dict[str, Any]) -> None:
    assert check_not_carried(parse_daemon_json(json.dumps(daemon))) == []


@pytest.mark.parametrize(
    ("root", "names"),
    [
        ("/var/lib/docker", []),
        ("/var/lib/docker/165536.165536", []),
        ("/data/docker", ["DockerDataRoot"]),
        ("/var/lib/docker2", ["DockerDataRoot"]),
    ],
)
def test_what_dockerd_says_of_its_data_root(root: str, names: list[str]) -> None:
    """`--data-root` is a flag too; userns-remap makes a directory below."""
    assert [each.name for each in check_not_carried(parse_daemon_json(None), "w1", root)] == names
