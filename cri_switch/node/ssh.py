"""A node by ssh: paramiko speaks, OpenSSH's configuration says where to."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import paramiko

from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import RemoteCommandFailed, RemoteTimeout, SudoRefused, Unreachable
from cri_switch.model.migration import Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.secrets import masked
from cri_switch.node.channel import ChannelDeadline, ChannelLost, TooMuchOutput, pump
from cri_switch.node.command import Command, Result, plain
from cri_switch.node.resolve import resolve
from cri_switch.node.ssh_config import SshHost
from cri_switch.node.ssh_login import Login
from cri_switch.node.transfer import Download

log = logging.getLogger("cri_switch.node")

OUTPUT_LIMIT = 64 * 1024 * 1024
SECURE_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
SUDO_REFUSED = re.compile(
    r"^sudo: (a password is required|a terminal is required|no tty present|sorry, you must have a tty)"
    r"|^sudo: sorry, you are not allowed"
    r"|^Sorry, user \S+ (is not allowed to execute|may not run)|is not in the sudoers file",
    re.M,
)
SUDO_NOT_FOUND = re.compile(r"^sudo: .*: command not found$", re.M)


class SshConnection:
    """A live connection to one node; thread-safe, each command has a channel of its own."""

    def __init__(self, node: NodeRef, host: SshHost, ssh: Ssh) -> None:
        self._node, self._ssh, self._login = node, ssh, Login(node, host, ssh)
        self._client: paramiko.SSHClient | None = None
        self._lock = threading.RLock()

    @classmethod
    def open(cls, node: NodeRef, ssh: Ssh) -> SshConnection:
        """Resolve, connect, check the host key and log in.

        Raises: Unreachable, HostKeyRefused, LoginRefused, SettingsError.
        """
        connection = cls(node, resolve(node, ssh), ssh)
        connection._connected()
        return connection

    @property
    def node(self) -> str:
        """The node's name."""
        return self._node.name

    def run(self, command: Command) -> Result:
        """Run a command; its output is kept up to OUTPUT_LIMIT bytes (see Connection for the errors).

        stdout keeps bytes that are not UTF-8 as surrogates, so that a file read by it has the right hash.
        """
        out = bytearray()

        def keep(data: bytes) -> None:
            out.extend(data)
            if len(out) > OUTPUT_LIMIT:
                raise TooMuchOutput

        source = io.BytesIO(command.stdin) if command.stdin is not None else None
        rc, stderr, seconds = self._execute(command, source, keep)
        return Result(rc, out.decode("utf-8", "surrogateescape"), stderr, seconds)

    def run_to_file(self, command: Command, path: Path) -> Download:
        """Run a command with its stdout written to a new local file (0600); a command that fails leaves no file."""
        digest, size = hashlib.sha256(), 0
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:

                def keep(data: bytes) -> None:
                    nonlocal size
                    size += len(data)
                    digest.update(data)
                    file.write(data)

                self._execute(command, None, keep)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink()
            raise
        return Download(path, size, digest.hexdigest())

    def close(self) -> None:
        """End the connection; a later command opens it anew."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _execute(
        self, command: Command, source: BinaryIO | None, out: Callable[[bytes], None]
    ) -> tuple[int, str, float]:
        started, err = time.monotonic(), bytearray()
        deadline = Deadline.after(command.timeout)
        channel = self._channel(min(command.timeout, self._ssh.connect_timeout) if command.timeout > 0 else 15)
        watchdog = threading.Timer(min(deadline.remaining, threading.TIMEOUT_MAX), channel.close)
        watchdog.daemon = True
        watchdog.start()
        try:
            channel.exec_command(command.shell())
            rc = pump(channel, source, out, lambda data: err.extend(data[: OUTPUT_LIMIT - len(err)]), deadline)
        except TooMuchOutput as problem:
            raise RemoteCommandFailed(
                f"{self.node}: {command} printed more than {OUTPUT_LIMIT} bytes", rc=-1, stderr=""
            ) from problem
        except (ChannelDeadline, ChannelLost, paramiko.SSHException, OSError, EOFError) as problem:
            log.debug("%s: %s: %s after %.2f s", self.node, command, type(problem).__name__, time.monotonic() - started)
            if deadline.expired:
                raise RemoteTimeout(
                    f"{self.node}: {command} did not end within {command.timeout:.0f} s",
                    state="its channel was closed; it may still run on the node",
                    next_step=f"look at it: ssh {self.node} ps aux",
                ) from problem
            raise Unreachable(
                f"{self.node}: the connection was lost during {command}",
                state="it is not known whether the command did its work",
                next_step="run the same command again: it looks before it changes anything",
            ) from problem
        finally:
            watchdog.cancel()
            channel.close()
        seconds, stderr = time.monotonic() - started, err.decode("utf-8", "replace")
        log.debug("%s: %s: rc %d in %.2f s", self.node, command, rc, seconds)
        return self._checked(command, rc, stderr), stderr, seconds

    def _checked(self, command: Command, rc: int, stderr: str) -> int:
        if command.sudo and rc == 1:
            if SUDO_REFUSED.search(stderr):
                if self._missing(command.argv[0]):
                    return self._checked(replace(command, sudo=False), 127, f"{command.argv[0]}: command not found")
                raise SudoRefused(
                    f"{self.node}: sudo refuses {command}: {stderr.strip().splitlines()[-1]}",
                    state="the command was not run",
                    next_step=f"install deployments/sudoers on {self.node} for the user {self._login.user}",
                )
            if SUDO_NOT_FOUND.search(stderr):
                rc = 127
        if rc not in command.ok:
            said = "" if command.secret else masked(stderr.strip()[-2000:])
            raise RemoteCommandFailed(
                f"{self.node}: {command} ended with {rc}" + (f": {said}" if said else ""),
                rc=rc,
                stderr=stderr,
                next_step=f"try it by hand: ssh {self.node} {'sudo ' if command.sudo else ''}{command}",
            )
        return rc

    def _missing(self, program: str) -> bool:
        """Whether a program is nowhere on sudo's secure_path: sudo asks for a password then (seen), rule or not."""
        if "/" in program:
            return False
        paths = [f"{folder}/{program}" for folder in SECURE_PATH]
        return self.run(plain("stat", "-L", "-c", "%n", "--", *paths, ok=range(256))).stdout.strip() == ""

    def _channel(self, timeout: float) -> paramiko.Channel:
        """A new channel; a cached connection that turns out to be dead is opened anew, once (nothing was sent yet)."""
        with self._lock:
            fresh = self._client is None
            client = self._connected()
        try:
            return _session(client, timeout)
        except (paramiko.SSHException, OSError, EOFError) as problem:
            if fresh:
                raise self._login.unreachable("no session could be opened", problem) from problem
        with self._lock:
            if self._client is client:
                self.close()
            client = self._connected()
        try:
            return _session(client, timeout)
        except (paramiko.SSHException, OSError, EOFError) as problem:
            raise self._login.unreachable("no session could be opened", problem) from problem

    def _connected(self) -> paramiko.SSHClient:
        with self._lock:
            if self._client is None:
                self._client = self._login.client()
            return self._client


def _session(client: paramiko.SSHClient, timeout: float) -> paramiko.Channel:
    transport = client.get_transport()
    if transport is None or not transport.is_active():
        raise paramiko.SSHException("the connection ended")
    return transport.open_session(timeout=timeout)
