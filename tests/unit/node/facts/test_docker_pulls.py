from __future__ import annotations

from pathlib import Path

import pytest

from cri_switch.node.facts.docker_pulls import REGISTRY_CERTS, proxy_not_carried, proxy_variables
from cri_switch.node.node_root import NodeRootConnection

UNIT = "[Service]\nEnvironmentFile=-/etc/default/docker\nExecStart=/usr/sbin/dockerd\n"
PROXY = '[Service]\nEnvironment="HTTP_PROXY=http://u:tok@proxy:3128/" "no_proxy=10.0.0.0/8,.svc"\n'


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", set()),
        (UNIT, set()),
        (PROXY, {"HTTP_PROXY", "NO_PROXY"}),
        ("Environment=HTTPS_PROXY=http://p:1\n", {"HTTPS_PROXY"}),
        ("export http_proxy=http://p:1\n", {"HTTP_PROXY"}),
        ("# Environment=HTTPS_PROXY=http://p:1\n;HTTP_PROXY=x\n", set()),
        ("Environment=MY_HTTP_PROXYLIKE=1\n", set()),
    ],
)
def test_proxy_variables(text: str, names: set[str]) -> None:
    assert proxy_variables(text) == names


def node(root: Path, files: dict[str, str]) -> NodeRootConnection:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return NodeRootConnection(root, target_version="1.4.13")


def test_what_containerd_has_already_is_no_finding(tmp_path: Path) -> None:
    docker = {
        "lib/systemd/system/docker.service": UNIT,
        "etc/systemd/system/docker.service.d/proxy.conf": PROXY,
        "etc/default/docker": "HTTPS_PROXY=http://p:1\n",
    }
    assert proxy_not_carried(node(tmp_path, docker)) == ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
    given = {
        "lib/systemd/system/containerd.service": "[Service]\n",
        "etc/systemd/system/containerd.service.d/p.conf": PROXY,
    }
    assert proxy_not_carried(node(tmp_path, given)) == ("HTTPS_PROXY",)


def test_registries_with_certificates(tmp_path: Path) -> None:
    assert REGISTRY_CERTS.read(node(tmp_path, {})) == ()
    there = node(tmp_path, {"etc/docker/certs.d/r.example:5000/ca.crt": "x"})
    assert REGISTRY_CERTS.read(there) == ("r.example:5000",)
