from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from cri_switch.render.cni_cache import parse_attachment

SANDBOX = "5f1c" * 16
PATH = f"/var/lib/cni/cache/results/lab-{SANDBOX}-eth0"
CONFLIST = {
    "cniVersion": "0.4.0",
    "name": "lab",
    "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipam": {"type": "host-local"}},
        {"type": "portmap", "capabilities": {"portMappings": True, "bandwidth": True}},
    ],
}
RESULT = {"cniVersion": "0.4.0", "ips": [{"version": "4", "address": "10.244.1.3/24", "gateway": "10.244.1.1"}]}
PORTS = [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp", "hostIP": ""}]


def cache_file(conflist: dict[str, Any] = CONFLIST, **changes: Any) -> str:
    cached: dict[str, Any] = {
        "kind": "cniCacheV1",
        "containerId": SANDBOX,
        "config": base64.b64encode(json.dumps(conflist).encode()).decode(),
        "ifName": "eth0",
        "networkName": "lab",
        "cniArgs": [["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", "default"], ["K8S_POD_NAME", "web-1"]],
        "capabilityArgs": {"portMappings": PORTS, "dns": {"Servers": ["10.96.0.10"]}},
        "result": RESULT,
    }
    return json.dumps(cached | changes)


def test_plugins_are_called_in_reverse_order_with_what_libcni_puts_in() -> None:
    found = parse_attachment(PATH, cache_file())
    assert [call.plugin for call in found.calls] == ["portmap", "bridge"]
    portmap, bridge = (json.loads(call.stdin) for call in found.calls)
    assert portmap == {
        "type": "portmap",
        "capabilities": {"portMappings": True, "bandwidth": True},
        "name": "lab",
        "cniVersion": "0.4.0",
        "runtimeConfig": {"portMappings": PORTS},  # dns is no capability of it, bandwidth was not given
        "prevResult": RESULT,
    }
    assert bridge["ipam"] == {"type": "host-local"}
    assert "runtimeConfig" not in bridge
    assert bridge["prevResult"] == RESULT


def test_environment_is_the_cni_specifications() -> None:
    found = parse_attachment(PATH, cache_file())
    assert dict(found.environment(netns="/proc/77/ns/net", bin_dir="/opt/cni/bin")) == {
        "CNI_COMMAND": "DEL",
        "CNI_CONTAINERID": SANDBOX,
        "CNI_NETNS": "/proc/77/ns/net",
        "CNI_IFNAME": "eth0",
        "CNI_PATH": "/opt/cni/bin",
        "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-1",
    }


@pytest.mark.parametrize(
    ("version", "given"), [("0.3.1", False), ("0.4.0", True), ("1.0.0", True), ("0.2.0", False), (None, False)]
)
def test_prev_result_is_only_for_versions_that_know_it(version: str | None, given: bool) -> None:
    config = {key: value for key, value in CONFLIST.items() if key != "cniVersion"}
    config |= {"cniVersion": version} if version else {}
    found = parse_attachment(PATH, cache_file(config))
    assert all(("prevResult" in json.loads(call.stdin)) is given for call in found.calls)


def test_a_single_plugin_configuration_is_one_call() -> None:
    found = parse_attachment(PATH, cache_file({"cniVersion": "0.3.1", "name": "flat", "type": "macvlan"}))
    assert [call.plugin for call in found.calls] == ["macvlan"]


@pytest.mark.parametrize(("network", "loopback"), [("cni-loopback", True), ("lab", False)])
def test_loopbacks_are_known(network: str, loopback: bool) -> None:
    path = f"/var/lib/cni/cache/results/{network}-{SANDBOX}-lo"
    assert parse_attachment(path, cache_file(networkName=network)).loopback is loopback


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"kind": "other"}', cache_file(config="%%%"), cache_file(cniArgs=[["one"]]), cache_file({})],
)
def test_what_is_no_cache_file_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(ValueError, match=SANDBOX):
        parse_attachment(PATH, text)
