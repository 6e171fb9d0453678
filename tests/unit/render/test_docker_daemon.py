from __future__ import annotations

import pytest

from cri_switch.render.docker_daemon import DockerSettings, parse_daemon_json
from cri_switch.render.errors import RenderError


@pytest.mark.parametrize("text", [None, "", " \n", "{}"])
def test_no_file_is_docker_default(text: str | None) -> None:
    assert parse_daemon_json(text) == DockerSettings()


def test_all_that_is_known() -> None:
    settings = parse_daemon_json(
        """{
        "insecure-registries": ["r:5000", "10.0.0.0/8"], "registry-mirrors": ["http://r:5000"],
        "data-root": "/data/docker", "log-driver": "journald", "log-opts": {"max-size": "10m"},
        "exec-opts": ["native.cgroupdriver=systemd"], "live-restore": true, "default-runtime": "nvidia",
        "default-address-pools": [{"base": "10.9.0.0/16", "size": 24}], "bip": "10.8.0.1/24"}"""
    )
    assert settings.insecure_registries == ("r:5000", "10.0.0.0/8")
    assert settings.registry_mirrors == ("http://r:5000",)
    assert (settings.data_root, settings.log_driver, settings.log_opts) == (
        "/data/docker",
        "journald",
        {"max-size": "10m"},
    )
    assert (settings.cgroup_driver, settings.live_restore, settings.default_runtime) == ("systemd", True, "nvidia")
    assert settings.unknown == ("bip", "default-address-pools")


def test_graph_is_the_old_data_root() -> None:
    assert parse_daemon_json('{"graph": "/g"}').data_root == "/g"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{\n"a": 1,\n}', 3),
        ("[]", 1),
        ('{\n "log-opts": {},\n "insecure-registries": "r:5000"}', 3),
        ('{"log-opts": {"max-file": 3}}', 1),
        ('{"live-restore": "yes"}', 1),
        ('{"data-root": 1}', 1),
    ],
)
def test_broken_names_file_and_line(text: str, line: int) -> None:
    with pytest.raises(RenderError) as caught:
        parse_daemon_json(text, "/x/daemon.json")
    assert (caught.value.path, caught.value.line) == ("/x/daemon.json", line)
