from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cri_switch.model.errors import SettingsError
from cri_switch.model.migration import Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.inventory_file import inventory_hosts
from cri_switch.node.resolve import resolve
from cri_switch.node.ssh_config import SshHost

CONFIG = """Host named
  HostName 10.9.9.9
  Port 2200
  User ops
  UserKnownHostsFile /kh
Host half
  User half
Host *
  User all
"""


@pytest.fixture(params=["ssh", "paramiko"])
def config(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "config").write_text(CONFIG)
    if request.param == "paramiko":

        def missing(*_words: object, **_more: object) -> None:
            raise FileNotFoundError("ssh")

        monkeypatch.setattr(subprocess, "run", missing)
    return str(tmp_path / "config")


@pytest.mark.parametrize(
    ("name", "host", "port", "user"),
    [("named", "10.9.9.9", 2200, "ops"), ("half", "10.0.0.5", 22, "half"), ("unnamed", "10.0.0.5", 22, "all")],
)
def test_a_name_that_resolves_to_itself_means_the_address(
    config: str, name: str, host: str, port: int, user: str
) -> None:
    found = resolve(NodeRef(name=name, uid="u", address="10.0.0.5"), Ssh(config_file=config))
    assert (found.hostname, found.port, found.user) == (host, port, user)


def test_settings_win(config: str) -> None:
    ssh = Ssh(config_file=config, user="me", port=7, identity_file="/key", known_hosts="/mine")
    found = resolve(NodeRef(name="named", uid="u"), ssh)
    assert (found.user, found.port, found.identity_files, found.known_hosts) == ("me", 7, ("/key",), ("/mine",))


INVENTORY = """[kube_node]
named ansible_user=ansible
half ansible_host=10.7.7.7 ansible_port=2022 ansible_ssh_private_key_file=/inv/key
unnamed
far ansible_host=10.7.7.8 ansible_ssh_common_args='-J gate'
"""


def by_inventory(config: str, tmp_path: Path, name: str, **ssh: object) -> SshHost:
    (tmp_path / "hosts.ini").write_text(INVENTORY)
    settings = Ssh.model_validate({"config_file": config, "inventory": str(tmp_path / "hosts.ini"), **ssh})
    return resolve(NodeRef(name=name, uid="u", address="10.0.0.5"), settings)


@pytest.mark.parametrize(
    ("name", "host", "port", "user"),
    [
        ("named", "10.9.9.9", 2200, "ansible"),
        ("half", "10.7.7.7", 2022, "all"),  # ssh_config is asked for ansible_host, as Ansible does
        ("unnamed", "10.0.0.5", 22, "all"),
        ("elsewhere", "10.0.0.5", 22, "all"),
    ],
)
def test_an_inventory_says_the_way(config: str, tmp_path: Path, name: str, host: str, port: int, user: str) -> None:
    found = by_inventory(config, tmp_path, name)
    assert (found.hostname, found.port, found.user) == (host, port, user)
    assert name != "half" or found.identity_files[0] == "/inv/key"


def test_settings_win_over_the_inventory_also_in_the_jump(config: str, tmp_path: Path) -> None:
    found = by_inventory(config, tmp_path, "far", user="me", port=7, identity_file="/mine")
    assert (found.user, found.port, found.identity_files) == ("me", 7, ("/mine",))
    assert found.proxy == f"ssh -o BatchMode=yes -F {config} -W [10.7.7.8]:7 gate"


def test_a_bastion_is_gone_through_with_the_same_ssh_config(config: str, tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_text("[bastion]\ngate ansible_user=jump\n[kube_node]\na ansible_host=10.7.7.9\n")
    found = resolve(NodeRef(name="a", uid="u"), Ssh(config_file=config, inventory=str(tmp_path / "hosts.ini")))
    assert found.proxy == f"ssh -o BatchMode=yes -F {config} -W [10.7.7.9]:22 jump@gate"


def test_a_directory_and_what_is_beside_it(tmp_path: Path) -> None:
    for name, text in (
        ("hosts.yaml", "all: {hosts: {a: {ansible_host: 10.0.0.1}}}"),
        ("group_vars/all/ssh.yml", "ansible_user: everybody"),
        ("group_vars/all/vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162"),
        ("host_vars/a.yml", "ansible_port: 2022"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = inventory_hosts(str(tmp_path))["a"]
    assert (found.address, found.user, found.port) == ("10.0.0.1", "everybody", 2022)


@pytest.mark.parametrize("name", ["nosuch", "."])
def test_an_inventory_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"ssh\.inventory"):
        inventory_hosts(str(tmp_path / name))
