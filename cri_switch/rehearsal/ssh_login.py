"""What one SSH connection to a simulated node may do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from cri_switch.rehearsal.machine import Machine
from cri_switch.rehearsal.shell import run_line

log = logging.getLogger("cri_switch.rehearsal")

USER = "ops"
_CHUNK = 32 * 1024
_STDIN_SECONDS = 30.0


class Login(paramiko.ServerInterface):
    """One connection: only our user with our key, only commands."""

    def __init__(self, machine: Machine, key: paramiko.PKey, cut: Callable[[], None]) -> None:
        """`cut` ends every connection to the machine."""
        self._machine, self._key, self._cut = machine, key, cut

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
        machine = self._machine
        try:
            channel.settimeout(_STDIN_SECONDS)
            stdin = bytearray()
            while data := channel.recv(_CHUNK):
                stdin += data
            if not machine.up:
                self._cut()
                return
            reply = run_line(machine, line, bytes(stdin))
            if reply.hang:
                machine.world.clock.sleep(reply.hang)
            if reply.drop or not machine.up:
                self._cut()
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
