"""Real SSH servers for simulated nodes: one port a node on the loopback, keys and OpenSSH's files in a directory."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from pathlib import Path

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from cri_switch.rehearsal.machine import Machine
from cri_switch.rehearsal.shell import run_line
from cri_switch.rehearsal.surroundings import World

log = logging.getLogger("cri_switch.rehearsal")

USER = "ops"
HOST = "127.0.0.1"
_CHUNK = 32 * 1024
_STDIN_SECONDS = 30.0


class Sshd:
    """Listening from its making until `close`; writes ssh_config, known_hosts and id_ed25519 (0600)."""

    def __init__(self, world: World, directory: Path) -> None:
        self._servers: list[_Server] = []
        client = _new_key(directory / "id_ed25519")
        host = _new_key(directory / "host_ed25519")
        config, known = [], []
        for machine in world.machines.values():
            server = _Server(machine, host, client)
            self._servers.append(server)
            config.append(f"Host {machine.name}\n  HostName {HOST}\n  Port {server.port}\n  User {USER}\n")
            known.append(f"[{HOST}]:{server.port} {host.get_name()} {host.get_base64()}\n")
        files = (("ssh_config", config, "  IdentitiesOnly yes\n"), ("known_hosts", known, ""))
        for name, lines, more in files:
            (directory / name).write_text("".join(f"{line}{more}" for line in lines), encoding="utf-8")

    @property
    def ports(self) -> dict[str, int]:
        """Each node's port."""
        return {server.machine.name: server.port for server in self._servers}

    def close(self) -> None:
        """Stop listening and end every connection."""
        for server in self._servers:
            server.close()


def _new_key(path: Path) -> paramiko.PKey:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 (slow to import)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    if not path.exists():
        text = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        path.touch(mode=0o600)
        path.write_bytes(text)
    return paramiko.Ed25519Key.from_private_key_file(str(path))


class _Server:
    """One node's port: a thread that accepts, one of paramiko's for each connection, one for each command."""

    def __init__(self, machine: Machine, host_key: paramiko.PKey, client_key: paramiko.PKey) -> None:
        self.machine, self._host_key, self._client_key = machine, host_key, client_key
        self._listening = socket.create_server((HOST, 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        threading.Thread(target=self._accept, name=f"sshd {machine.name}", daemon=True).start()

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def cut(self) -> None:
        """End the connections there are."""
        gone, self._transports = self._transports, []
        for transport in gone:
            transport.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _address = self._listening.accept()
            except OSError:  # closed
                return
            if not self.machine.up:  # nobody listens on a machine that is down
                peer.close()
                continue
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        transport = paramiko.Transport(peer)
        transport.add_server_key(self._host_key)
        self._transports = [one for one in self._transports if one.is_active()] + [transport]
        try:
            transport.start_server(server=_Login(self, self._client_key))
        except (paramiko.SSHException, OSError, EOFError) as problem:
            log.debug("%s: no ssh session: %s", self.machine.name, problem)
            transport.close()


class _Login(paramiko.ServerInterface):
    """One connection: only our user with our key, only commands."""

    def __init__(self, server: _Server, key: paramiko.PKey) -> None:
        self._server, self._key = server, key

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002 (paramiko's name)
        """Keys only."""
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Our user with our key."""
        known = username == USER and key.asbytes() == self._key.asbytes()
        return AUTH_SUCCESSFUL if known else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002 (paramiko's name)
        """Sessions only."""
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """Run it in a thread of its own."""
        line = command.decode("utf-8", "surrogateescape")
        threading.Thread(target=self._run, args=(channel, line), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel, line: str) -> None:
        machine = self._server.machine
        try:
            channel.settimeout(_STDIN_SECONDS)
            stdin = bytearray()
            while data := channel.recv(_CHUNK):
                stdin += data
            if not machine.up:
                self._server.cut()
                return
            reply = run_line(machine, line, bytes(stdin))
            if reply.hang:
                machine.world.clock.sleep(reply.hang)
            if reply.drop or not machine.up:
                self._server.cut()
                return
            channel.settimeout(None)
            channel.sendall(reply.out)
            channel.sendall_stderr(reply.err.encode("utf-8", "surrogateescape"))
            channel.send_exit_status(reply.rc)
            channel.shutdown_write()
        except (OSError, EOFError, paramiko.SSHException) as problem:  # the client went away
            log.debug("%s: %s: %s", machine.name, line, problem)
        finally:
            channel.close()
