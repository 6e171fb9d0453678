"""Host keys: what is known, what is learned, what is refused."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import paramiko
from paramiko.hostkeys import InvalidHostKey

from cri_switch.model.errors import HostKeyRefused, SettingsError
from cri_switch.model.private_file import make_private

_learning = threading.Lock()


def known_keys(files: Sequence[str]) -> paramiko.HostKeys:
    """The keys of all files that exist.

    Raises: SettingsError when a file cannot be read.
    """
    keys = paramiko.HostKeys()
    for file in files:
        if Path(file).is_file():
            try:
                keys.load(file)
            except (OSError, InvalidHostKey) as problem:
                raise SettingsError(f"known_hosts file {file} cannot be read: {problem}") from problem
    return keys


def known_as(host: str, port: int) -> str:
    """A host's name in known_hosts: `host`, or `[host]:port` beside port 22."""
    return host if port == 22 else f"[{host}]:{port}"


def changed(node: str, host: str, port: int, files: Sequence[str], shown: paramiko.PKey) -> HostKeyRefused:
    """The node shows another key than the one that is known."""
    return HostKeyRefused(
        f"{node}: the host key changed: {known_as(host, port)} shows {shown.get_name()} {shown.fingerprint},"
        f" which is not the key in {' or '.join(files)}",
        state="nothing was sent to the node",
        next_step=f"if it was rebuilt: ssh-keygen -R '{known_as(host, port)}' -f {files[0]}, then ssh {node} once",
    )


class Policy(paramiko.MissingHostKeyPolicy):
    """What happens with an unknown host: refused, or appended to the first known_hosts file (never rewritten)."""

    def __init__(self, node: str, mode: Literal["strict", "accept-new"], files: Sequence[str]) -> None:
        self.node, self.mode, self.files = node, mode, files

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Called by paramiko where no key of the host is known.

        Raises: HostKeyRefused in strict mode.
        """
        if self.mode == "strict":
            raise HostKeyRefused(
                f"{self.node}: no host key of {hostname} is known in {' or '.join(self.files)}"
                f" (it shows {key.get_name()} {key.fingerprint})",
                state="nothing was sent to the node",
                next_step=f"compare the fingerprint, ssh {self.node} once (or set ssh.host_keys: accept-new)",
            )
        file = Path(self.files[0])
        with _learning:
            make_private(file.parent)
            descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "a") as out:
                out.write(f"{hostname} {key.get_name()} {key.get_base64()}\n")
        client.get_host_keys().add(hostname, key.get_name(), key)
