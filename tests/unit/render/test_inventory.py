"""Ansible's and Kubespray's inventories, INI and YAML."""

from __future__ import annotations

import pytest

from cri_switch.render.ansible_yaml import Vars
from cri_switch.render.errors import RenderError
from cri_switch.render.inventory import InventoryHost, hosts_of
from cri_switch.render.inventory_groups import parse_groups
from cri_switch.render.inventory_range import expanded

INI = """
# Kubespray's sample
[all]
cp1 ansible_host=10.0.0.1 ip=10.3.0.1 etcd_member_name=etcd1
w[1:3] ansible_user=ops ansible_port=2222
lonely

[all:vars]
ansible_user = admin   ; everybody
ansible_ssh_private_key_file='~/.ssh/id key'

[kube_control_plane]
cp1
[etcd:children]
kube_control_plane
[kube_node]
w1 kube_override_hostname=worker-one
w2
w3 ansible_ssh_common_args='-o StrictHostKeyChecking=no -o ProxyJump=jump@gate:2200'

[k8s_cluster:children]
kube_control_plane
kube_node
"""

YAML = """
all:
  vars:
    ansible_user: admin
    ansible_ssh_private_key_file: "~/.ssh/id key"
    secret: !vault |
      $ANSIBLE_VAULT;1.1;AES256
  hosts:
    cp1: {ansible_host: 10.0.0.1, ip: 10.3.0.1}
    w1: {kube_override_hostname: worker-one, ansible_user: ops, ansible_port: 2222}
    w2: {ansible_user: ops, ansible_port: 2222}
    w3:
      ansible_user: ops
      ansible_port: 2222
      ansible_ssh_common_args: -o StrictHostKeyChecking=no -o ProxyJump=jump@gate:2200
    lonely:
  children:
    kube_control_plane: {hosts: {cp1: }}
    kube_node: {hosts: {w1: , w2: , w3: }}
    k8s_cluster: {children: {kube_control_plane: , kube_node: }}
"""
KEY = "~/.ssh/id key"
EXPECTED = {
    "cp1": InventoryHost("cp1", "cp1", "10.0.0.1", "admin", None, KEY, role="control-plane", ips=("10.3.0.1",)),
    "worker-one": InventoryHost("w1", "worker-one", "", "ops", 2222, KEY, role="worker"),
    "w2": InventoryHost("w2", "w2", "", "ops", 2222, KEY, role="worker"),
    "w3": InventoryHost("w3", "w3", "", "ops", 2222, KEY, jump="jump@gate:2200", role="worker"),
}


def hosts(text: str, path: str = "hosts.ini", more: dict[str, Vars] | None = None) -> dict[str, InventoryHost]:
    return hosts_of(parse_groups(text, path), more or {}, path)


@pytest.mark.parametrize(("text", "path"), [(INI, "inventory.ini"), (YAML, "hosts.yaml")])
def test_kubesprays_inventories(text: str, path: str) -> None:
    assert hosts(text, path) == EXPECTED


def test_the_old_names_of_the_groups() -> None:
    found = hosts("[kube-master]\na\n[kube-node]\nb ansible_ssh_host=10.0.0.9 ansible_ssh_user=x ansible_ssh_port=7\n")
    assert found["a"].role == "control-plane"
    assert found["b"] == InventoryHost("b", "b", "10.0.0.9", "x", 7, role="worker")


def test_an_inventory_of_other_groups_is_taken_whole() -> None:
    found = hosts("[web]\na\nb:2222\n2001:db8::1\n")
    assert {name: host.port for name, host in found.items()} == {"a": None, "b": 2222, "2001:db8::1": None}
    assert found["a"].role is None


def test_the_nearer_group_wins_and_the_host_over_all() -> None:
    text = "[in]\na\nb ansible_user=host\n[out:children]\nin\n[out:vars]\nansible_user=out\nansible_port=1\n"
    text += "[in:vars]\nansible_user=in\n"
    found = hosts(text)
    assert (found["a"].user, found["a"].port, found["b"].user) == ("in", 1, "host")


def test_group_vars_and_host_vars() -> None:
    more: dict[str, Vars] = {
        "group_vars/all": {"ansible_user": "all", "ansible_port": 1},
        "group_vars/kube_node": {"ansible_user": "nodes"},
        "host_vars/b": {"ansible_user": "b"},
    }
    found = hosts("[kube_node]\na\nb\n", more=more)
    assert [(host.user, host.port) for host in found.values()] == [("nodes", 1), ("b", 1)]


def test_a_bastion_is_gone_through() -> None:
    text = "[bastion]\ngate ansible_host=1.2.3.4 ansible_user=jump ansible_port=2200\n[kube_node]\na\n"
    found = hosts(text + "b ansible_ssh_common_args='-J other'\n")
    assert found["a"].bastion == "-p 2200 jump@1.2.3.4"
    assert (found["b"].bastion, found["b"].jump) == ("", "other")
    assert "gate" not in found
    both = hosts("[bastion]\na\n[kube_node]\na\nb\n")
    assert (both["a"].bastion, both["b"].bastion) == ("", "a")


@pytest.mark.parametrize(
    "words",
    [
        "-o ProxyCommand='ssh -W %h:%p gate'",
        "-oProxyCommand='ssh -W %h:%p gate'",
        "-o 'ProxyCommand ssh -W %h:%p gate'",
    ],
)
def test_a_proxy_command(words: str) -> None:
    assert hosts(f'a ansible_ssh_common_args="{words}"\n')["a"].proxy == "ssh -W %h:%p gate"


def test_a_template_of_the_hosts_own_variables() -> None:
    assert hosts('a ansible_host="{{ ip }}" ip=10.0.0.3\n')["a"].address == "10.0.0.3"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("n[1:3]", ["n1", "n2", "n3"]),
        ("n[08:10].x", ["n08.x", "n09.x", "n10.x"]),
        ("[a:c]-[1:2]", ["a-1", "a-2", "b-1", "b-2", "c-1", "c-2"]),
        ("n[0:10:5]", ["n0", "n5", "n10"]),
        ("plain", ["plain"]),
    ],
)
def test_ranges(name: str, found: list[str]) -> None:
    assert list(expanded(name)) == found


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("[kube_node]\na port\n", "i.ini", "i.ini:2: not understood: 'port' is no NAME=VALUE"),
        ("[kube_node]\na x='1\n", "i.ini", "i.ini:2: not understood: No closing quotation"),
        ("[kube_node:vars]\nx\n", "i.ini", "i.ini:2: not understood: 'x' is no NAME=VALUE"),
        ("n[1:c]\n", "i.ini", "i.ini:1: not understood: [1:c] is no range"),
        ("a ansible_port=ssh\n", "i.ini", "i.ini: ansible_port of a is 'ssh', which is no number"),
        ("a ansible_host=\"{{ lookup('env','X') }}\"\n", "i.ini", "only Ansible can resolve"),
        ("all: [\n", "i.yml", "i.yml:2: not YAML"),
        ("- a\n", "i.yml", "i.yml:1: not a mapping"),
        ("all: {hosts: [a]}\n", "i.yml", "group all is not understood"),
        ("all: 3\n", "i.yml", "group all is no mapping"),
    ],
)
def test_what_is_not_understood_is_named(text: str, path: str, said: str) -> None:
    with pytest.raises(RenderError) as problem:
        hosts(text, path)
    assert said in str(problem.value)
