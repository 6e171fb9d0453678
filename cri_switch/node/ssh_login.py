"""The way into a node: its address, its host key, and our key."""

from __future__ import annotations

import getpass
import logging
import socket
from pathlib import Path

import paramiko

from cri_switch.model.errors import LoginRefused, Unreachable
from cri_switch.model.migration import Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.node import host_keys
from cri_switch.node.ssh_config import SshHost

log = logging.getLogger("cri_switch.node")

KEEPALIVE = 10


class Login:
    """How one node is entered, by OpenSSH's configuration and `spec.ssh`."""

    def __init__(self, node: NodeRef, host: SshHost, ssh: Ssh) -> None:
        self._node, self._host, self._ssh = node, host, ssh

    @property
    def user(self) -> str:
        """As whom."""
        return self._host.user or getpass.getuser()

    def client(self) -> paramiko.SSHClient:
        """A new connection, logged in. Raises Unreachable, HostKeyRefused, LoginRefused."""
        host, seconds = self._host, self._ssh.connect_timeout
        client = paramiko.SSHClient()
        keys = host_keys.known_keys(host.known_hosts)
        names = [host.host_key_alias] if host.host_key_alias else [host.hostname, self._node.name, self._node.address]
        known = [name for name in names if name and keys.lookup(host_keys.known_as(name, host.port)) is not None]
        name = known[0] if known else names[0]
        client.get_host_keys().update(keys)
        client.set_missing_host_key_policy(host_keys.Policy(self._node.name, self._ssh.host_keys, host.known_hosts))
        try:
            client.connect(
                name,
                port=host.port,
                username=self.user,
                key_filename=[  # type: ignore[arg-type]  # a list is what paramiko documents
                    file for file in host.identity_files if Path(file).is_file()
                ],
                allow_agent=not host.identities_only,
                look_for_keys=False,
                timeout=seconds,
                banner_timeout=seconds,
                auth_timeout=seconds,
                sock=self._socket(seconds),
            )
        except paramiko.BadHostKeyException as problem:
            client.close()
            raise host_keys.changed(self._node.name, name, host.port, host.known_hosts, problem.key) from problem
        except paramiko.AuthenticationException as problem:
            client.close()
            raise self._refused(problem) from problem
        except (paramiko.SSHException, OSError, EOFError) as problem:
            client.close()
            if "No authentication methods available" in str(problem):
                raise self._refused(problem) from problem
            raise self.unreachable("no connection", problem) from problem
        except BaseException:
            client.close()
            raise
        transport = client.get_transport()
        if transport is not None:
            transport.set_keepalive(KEEPALIVE)
        log.debug("%s: connected to %s port %d as %s", self._node.name, host.hostname, host.port, self.user)
        return client

    def _socket(self, seconds: float) -> socket.socket | paramiko.ProxyCommand:
        if self._host.proxy:
            return paramiko.ProxyCommand(self._host.proxy)
        sock = socket.create_connection((self._host.hostname, self._host.port), timeout=seconds)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # a node that is gone answers no keepalive: the kernel then ends the connection after this many milliseconds
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(max(30.0, 2 * seconds) * 1000))
        return sock

    def _refused(self, problem: Exception) -> LoginRefused:
        files = [file for file in self._host.identity_files if Path(file).is_file()]
        return LoginRefused(
            f"{self._node.name}: {self.user}@{self._host.hostname} does not accept our key: {problem}",
            state="tried "
            + (", ".join(files) or "no key file")
            + ("" if self._host.identities_only else " and the agent"),
            next_step=f"make this work without a question: ssh {self._node.name} true",
        )

    def unreachable(self, what: str, problem: Exception) -> Unreachable:
        """The error of a node that does not answer."""
        return Unreachable(
            f"{self._node.name}: {what} to {self._host.hostname} port {self._host.port}:"
            f" {problem or type(problem).__name__}",
            next_step=f"check the node and the way to it: ssh {self._node.name} true",
        )
