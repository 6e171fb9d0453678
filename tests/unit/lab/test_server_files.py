"""The text of what the lab's server runs."""

from __future__ import annotations

import ast

import pytest

from tests.lab import server_files
from tests.lab.topology import machines


def test_haproxy_asks_every_control_planes_readyz_over_tls_every_second() -> None:
    text = server_files.haproxy_config(spec for spec in machines(3, 1) if spec.role == "control-plane")
    servers = [line.split() for line in text.splitlines() if line.startswith("    server ")]
    assert [words[1:] for words in servers] == [[f"cp{n}", f"10.77.0.1{n}:6443"] for n in (1, 2, 3)]
    assert "option httpchk GET /readyz" in text
    for word in ("check-ssl verify none", "inter 1s"):
        assert word in text
    assert "bind 10.77.0.2:6443" in text


@pytest.mark.parametrize(("control_planes", "there"), [(1, False), (3, True)])
def test_only_several_control_planes_need_an_endpoint(control_planes: int, there: bool) -> None:
    assert ("lab-endpoint.service" in server_files.units(control_planes)) is there


def test_the_servers_kube_proxy_waits_for_its_cluster() -> None:
    text = server_files.units(1)[server_files.SERVICES_UNIT]
    assert "ConditionPathExists=/srv/kube-proxy/etc/kubeconfig" in text
    assert "RootDirectory=/srv/kube-proxy" in text


def test_the_repositorys_program_is_python() -> None:
    ast.parse(server_files.PACKAGES_PROGRAM, feature_version=(3, 9))
