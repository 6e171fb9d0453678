"""Where a node is: OpenSSH's own answer, the node's address, and the settings, which win."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import paramiko

from cri_switch.model.errors import SettingsError
from cri_switch.model.migration import Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.inventory_file import inventory_hosts
from cri_switch.node.ssh_config import SshHost, hop, parse_ssh_g, ssh_host
from cri_switch.render.inventory import InventoryHost

DEFAULT_CONFIG = str(Ssh.model_fields["config_file"].default)
DEFAULT_KNOWN_HOSTS = str(Ssh.model_fields["known_hosts"].default)


def resolve(node: NodeRef, ssh: Ssh) -> SshHost:
    """Where and as whom to log in: by ssh_config and the node's InternalIP, then the inventory; the settings win.

    ssh_config is asked, as Ansible would, for the inventory's ansible_host, else for the node's name.

    Raises: SettingsError when the ssh_config or the inventory of the settings is missing; RenderError when the
        inventory is not understood.
    """
    config = None
    if ssh.config_file != DEFAULT_CONFIG:
        config = str(Path(ssh.config_file).expanduser())
        if not Path(config).is_file():
            raise SettingsError(f"ssh.config_file {config} does not exist")
    listed = inventory_hosts(ssh.inventory).get(node.name) if ssh.inventory else None
    name = (listed.address or listed.name) if listed else node.name
    host = ssh_host(_options(name, config) | _listed(listed, config) | _set(ssh), name, config)
    if host.hostname.lower() in (node.name.lower(), listed and listed.name.lower()) and node.address and not host.proxy:
        host = replace(host, hostname=node.address)
    if ssh.known_hosts != DEFAULT_KNOWN_HOSTS or not host.known_hosts:
        host = replace(host, known_hosts=(str(Path(ssh.known_hosts).expanduser()),))
    return host


def _set(ssh: Ssh) -> dict[str, list[str]]:
    """What the settings say, as ssh_config would: a ProxyJump is made with this port."""
    found = {"user": ssh.user, "port": str(ssh.port or ""), "identityfile": ssh.identity_file or ""}
    return {keyword: [value] for keyword, value in found.items() if value}


def _listed(listed: InventoryHost | None, config: str | None) -> dict[str, list[str]]:
    """What the inventory says, as ssh_config would; Ansible gives it to ssh on the command line, so it wins there."""
    if listed is None:
        return {}
    bastion = f"{hop(config)} -W [%h]:%p {listed.bastion}" if listed.bastion else ""
    found = {
        "user": listed.user,
        "port": str(listed.port or ""),
        "identityfile": listed.identity_file,
        "proxycommand": listed.proxy or bastion,
        "proxyjump": listed.jump,
    }
    options = {keyword: [value] for keyword, value in found.items() if value}
    if listed.jump:
        options["proxycommand"] = ["none"]
    return options


def _options(host: str, config: str | None) -> dict[str, list[str]]:
    try:
        words = ["ssh", "-G", *(["-F", config] if config else []), "--", host]
        answer = subprocess.run(
            words, capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        return _paramiko_options(host, config)
    if answer.returncode != 0:
        raise SettingsError(
            f"ssh -G {host} failed: {answer.stderr.strip()}", next_step="repair the ssh_config it names"
        )
    return parse_ssh_g(answer.stdout)


def _paramiko_options(host: str, config: str | None) -> dict[str, list[str]]:
    file = Path(config or DEFAULT_CONFIG).expanduser()
    if not file.is_file():
        return {}
    found = paramiko.SSHConfig.from_path(str(file)).lookup(host)
    return {key: list(value) if isinstance(value, list) else [str(value)] for key, value in found.items()}
