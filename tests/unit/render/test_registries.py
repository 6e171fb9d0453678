from __future__ import annotations

import tomllib

import pytest

from cri_switch.render.docker_daemon import DockerSettings
from cri_switch.render.hosts_toml import hosts_files
from cri_switch.render.registries import Registries, registries_of


@pytest.mark.parametrize(
    ("mirrors", "insecure", "expected"),
    [
        ((), (), Registries()),
        (("https://m.x/", "http://r:5000"), (), Registries(mirrors=("https://m.x", "http://r:5000"))),
        ((), ("r:5000", "http://h", "r:5000"), Registries(insecure=("r:5000", "h"))),
        ((), ("10.0.0.0/8", "[::1]:5000"), Registries(insecure=("[::1]:5000",), inexpressible=("10.0.0.0/8",))),
        (("https://m.x/path", "m.x"), (), Registries(inexpressible=("https://m.x/path", "m.x"))),
        ((), ("docker.io",), Registries(inexpressible=("docker.io",))),
    ],
)
def test_registries_of(mirrors: tuple[str, ...], insecure: tuple[str, ...], expected: Registries) -> None:
    assert registries_of(DockerSettings(registry_mirrors=mirrors, insecure_registries=insecure)) == expected


def test_nothing_to_say_is_false() -> None:
    assert not Registries(inexpressible=("10.0.0.0/8",))
    assert Registries(insecure=("r",))


def test_mirrors_in_order_then_upstream() -> None:
    files = hosts_files(Registries(mirrors=("https://a", "http://r:5000"), insecure=("r:5000",)))
    assert set(files) == {"docker.io/hosts.toml", "r:5000/hosts.toml"}
    hub = tomllib.loads(files["docker.io/hosts.toml"])
    assert hub["server"] == "https://registry-1.docker.io"
    assert list(hub["host"]) == ["https://a", "http://r:5000"]
    assert hub["host"]["https://a"] == {"capabilities": ["pull", "resolve"]}
    assert hub["host"]["http://r:5000"] == {"capabilities": ["pull", "resolve"], "skip_verify": True}


def test_an_insecure_host_is_asked_as_docker_asks_it_https_without_verifying_then_http() -> None:
    text = hosts_files(Registries(insecure=("r:5000",)))["r:5000/hosts.toml"]
    assert tomllib.loads(text) == {
        "server": "http://r:5000",
        "host": {"https://r:5000": {"capabilities": ["pull", "resolve"], "skip_verify": True}},
    }
    assert text.startswith("# Written by cri-switch")


def test_nothing_is_no_file() -> None:
    assert hosts_files(Registries(inexpressible=("10.0.0.0/8",))) == {}
