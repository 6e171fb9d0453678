"""Where a node is: OpenSSH's own answer, the node's address, and the settings, which win."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import paramiko

from cri_switch.model.errors import SettingsError
from cri_switch.model.migration import Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.ssh_config import SshHost, parse_ssh_g, ssh_host

DEFAULT_CONFIG = str(Ssh.model_fields["config_file"].default)
DEFAULT_KNOWN_HOSTS = str(Ssh.model_fields["known_hosts"].default)


def resolve(node: NodeRef, ssh: Ssh) -> SshHost:
    """Where and as whom to log in: what ssh_config says about the node's name, else its InternalIP; settings win.

    Raises: SettingsError when the ssh_config named in the settings is missing or not understood.
    """
    config = None
    if ssh.config_file != DEFAULT_CONFIG:
        config = str(Path(ssh.config_file).expanduser())
        if not Path(config).is_file():
            raise SettingsError(f"ssh.config_file {config} does not exist")
    host = ssh_host(_options(node.name, config), node.name, config)
    if host.hostname.lower() == node.name.lower() and node.address and not host.proxy:
        host = replace(host, hostname=node.address)
    if ssh.user:
        host = replace(host, user=ssh.user)
    if ssh.port is not None:
        host = replace(host, port=ssh.port)
    if ssh.identity_file:
        host = replace(host, identity_files=(str(Path(ssh.identity_file).expanduser()),))
    if ssh.known_hosts != DEFAULT_KNOWN_HOSTS or not host.known_hosts:
        host = replace(host, known_hosts=(str(Path(ssh.known_hosts).expanduser()),))
    return host


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
