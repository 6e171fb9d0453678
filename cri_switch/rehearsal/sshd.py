"""Real SSH servers for simulated nodes: one port a node on the loopback, keys and OpenSSH's files in a directory."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from pathlib import Path

import paramiko

from cri_switch.rehearsal.machine import Machine
from cri_switch.rehearsal.ssh_key import new_key
from cri_switch.rehearsal.ssh_login import USER, Login
from cri_switch.rehearsal.surroundings import World

log = logging.getLogger("cri_switch.rehearsal")

HOST = "127.0.0.1"


class Sshd:
    """Listening from its making until `close`; writes ssh_config, known_hosts and id_ed25519 (0600)."""

    def __init__(self, world: World, directory: Path) -> None:
        self._servers: list[_Server] = []
        client = new_key(directory / "id_ed25519")
        host = new_key(directory / "host_ed25519")
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
            transport.start_server(server=Login(self.machine, self._client_key, self.cut))
        except (paramiko.SSHException, OSError, EOFError) as problem:
            log.debug("%s: no ssh session: %s", self.machine.name, problem)
            transport.close()
