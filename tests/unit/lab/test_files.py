"""The text of what is written into machines and into the lab's directory."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import yaml

from tests.lab import access, cluster, files, keys, kubeconfig
from tests.lab.topology import machines


def test_every_machine_knows_every_name() -> None:
    lines = files.hosts(machines(1, 2)).splitlines()
    assert lines == ["127.0.0.1 localhost", "10.77.0.2 registry", "10.77.0.11 cp1", "10.77.0.21 w1", "10.77.0.22 w2"]


def test_nodes_get_forward_rules_and_the_server_does_not() -> None:
    server, node, *_ = machines(1, 1)
    assert "FORWARD" not in files.network_script(server)
    for rule in ("-s 10.244.0.0/16 -j ACCEPT", "-d 10.244.0.0/16 -j ACCEPT"):
        assert f"iptables -w -A FORWARD {rule}" in files.network_script(node)
    for spec in (server, node):
        assert "ip route replace unreachable 169.254.169.254" in files.network_script(spec)
        assert f"ip addr replace {spec.address}/24 dev host0" in files.network_script(spec)


def test_daemon_json_has_what_the_migration_must_carry_over() -> None:
    settings = json.loads(files.daemon_json("systemd"))
    assert settings["exec-opts"] == ["native.cgroupdriver=systemd"]
    assert settings["insecure-registries"] == ["10.77.0.2:5000"]
    assert settings["registry-mirrors"] == ["http://10.77.0.2:5000"]
    assert settings["log-opts"] == {"max-size": "10m", "max-file": "3"}
    assert settings["default-address-pools"] == [{"base": "10.200.0.0/16", "size": 24}]


def test_sources_list_is_signed() -> None:
    assert files.sources_list("engine", 12) == (
        "deb [signed-by=/usr/share/keyrings/cri-switch-lab.gpg] http://10.77.0.2:8000/debian12 engine main\n"
    )


def test_cni_conflist() -> None:
    bridge, portmap = json.loads(files.cni_conflist("10.244.3.0/24"))["plugins"]
    assert bridge["ipMasq"] and bridge["hairpinMode"] and bridge["isGateway"]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.3.0/24"}]]
    assert portmap == {"type": "portmap", "capabilities": {"portMappings": True}}


def test_routes_leave_out_ones_own() -> None:
    nodes = [("10.244.0.0/24", "10.77.0.11"), ("10.244.1.0/24", "10.77.0.21")]
    assert files.routes(nodes, "10.77.0.21") == "10.244.0.0/24 10.77.0.11\n"


def test_init_config_has_what_the_lab_needs() -> None:
    text = cluster.init_config("cp1", "10.77.0.11", "abcdef.0123456789abcdef", "systemd")
    init, settings, kubelet, proxy = yaml.safe_load_all(text)
    assert init["bootstrapTokens"] == [{"token": "abcdef.0123456789abcdef", "ttl": "0s"}]
    assert settings["controlPlaneEndpoint"] == "10.77.0.11:6443"
    assert settings["kubernetesVersion"] == "v1.20.2"
    assert settings["networking"]["podSubnet"] == "10.244.0.0/16"
    assert (kubelet["cgroupDriver"], kubelet["failSwapOn"]) == ("systemd", False)
    assert kubelet["imageGCHighThresholdPercent"] == 100
    assert proxy["conntrack"] == {"maxPerCore": 0}


def test_tokens_have_kubeadms_form() -> None:
    first, second = cluster.new_token().split(".")
    assert (len(first), len(second)) == (6, 16)
    assert cluster.new_token() != cluster.new_token()


def test_join_config_finds_the_cluster_by_a_file() -> None:
    join = yaml.safe_load(cluster.join_config("w1", "a.b"))
    assert join["discovery"]["tlsBootstrapToken"] == "a.b"
    assert join["nodeRegistration"] == {"name": "w1"}


def test_several_control_planes_share_an_endpoint_and_their_certificates() -> None:
    text = cluster.init_config("cp1", "10.77.0.11", "a.b", "systemd", "10.77.0.2:6443", "key")
    init, settings, *_ = yaml.safe_load_all(text)
    assert init["certificateKey"] == "key"
    assert init["localAPIEndpoint"]["advertiseAddress"] == "10.77.0.11"
    assert settings["controlPlaneEndpoint"] == "10.77.0.2:6443"
    join = yaml.safe_load(cluster.join_config("cp2", "a.b", "10.77.0.12", "key"))
    assert join["controlPlane"]["certificateKey"] == "key"
    assert join["controlPlane"]["localAPIEndpoint"] == {"advertiseAddress": "10.77.0.12", "bindPort": 6443}
    assert "controlPlane" not in yaml.safe_load(cluster.join_config("w1", "a.b", "10.77.0.21"))


def test_ssh_config_checks_host_keys() -> None:
    text = keys.ssh_config(Path("/lab"), [spec for spec in machines(1, 1) if spec.is_node])
    assert text.count("StrictHostKeyChecking yes") == text.count("User ops") == 2
    assert "Host w1\n  HostName 10.77.0.21\n" in text
    assert "UserKnownHostsFile /lab/known_hosts" in text


def test_kubeconfig_with_and_without_a_token() -> None:
    known = yaml.safe_load(kubeconfig.kubeconfig("https://a:1", b"CA", "me", "secret"))
    assert known["users"] == [{"name": "me", "user": {"token": "secret"}}]
    assert base64.b64decode(known["clusters"][0]["cluster"]["certificate-authority-data"]) == b"CA"
    assert yaml.safe_load(kubeconfig.kubeconfig("https://a:1", b"CA"))["users"] == [{"name": "nobody", "user": {}}]


def test_settings_name_the_pipelines_kubeconfig() -> None:
    document = yaml.safe_load(access.settings("dev", Path("/lab")))
    assert (document["apiVersion"], document["kind"]) == ("cri-switch/v1alpha1", "Migration")
    assert document["metadata"] == {"name": "dev"}
    assert document["spec"]["cluster"] == {"kubeconfig": "/lab/kubeconfig"}
    assert document["spec"]["ssh"]["known_hosts"] == "/lab/known_hosts"
