"""The way to a simulated node without sockets, for thousands of nodes and for tests (spec.ssh.transport: memory)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from cri_switch.model.errors import RemoteCommandFailed, RemoteTimeout, SettingsError, SudoRefused, Unreachable
from cri_switch.rehearsal.machine import Machine
from cri_switch.rehearsal.reply import Reply
from cri_switch.rehearsal.shell import run_line
from cri_switch.rehearsal.sudoers import REFUSED
from cri_switch.rehearsal.world import World

R_co = TypeVar("R_co", covariant=True)
D_co = TypeVar("D_co", covariant=True)
_OFFERED: list[World] = []


class CommandLike(Protocol):
    """What of cri_switch.node's Command is used here; the two packages do not import each other."""

    @property
    def argv(self) -> tuple[str, ...]: ...
    @property
    def sudo(self) -> bool: ...
    @property
    def stdin(self) -> bytes | None: ...
    @property
    def timeout(self) -> float: ...
    @property
    def ok(self) -> frozenset[int]: ...
    def shell(self) -> str: ...


class MemoryConnection(Generic[R_co, D_co]):
    """A Connection and Transfer of cri_switch.node; `result` is that package's Result, `download` its Download."""

    def __init__(
        self,
        machine: Machine,
        result: Callable[[int, str, str, float], R_co],
        download: Callable[[Path, int, str], D_co],
    ) -> None:
        self._machine, self._result, self._download = machine, result, download

    @property
    def node(self) -> str:
        """The node's name."""
        return self._machine.name

    def run(self, command: CommandLike) -> R_co:
        """Run it, with the errors that the ssh connection has."""
        started = self._machine.now()
        reply = self._reply(command)
        text = reply.out.decode("utf-8", "surrogateescape")
        return self._result(reply.rc, text, reply.err, self._machine.now() - started)

    def run_to_file(self, command: CommandLike, path: Path) -> D_co:
        """Run it with stdout written to a new local file, 0600."""
        content = self._reply(command).out
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(content)
        return self._download(path, len(content), hashlib.sha256(content).hexdigest())

    def close(self) -> None:
        """Nothing to close."""

    def _reply(self, command: CommandLike) -> Reply:
        if not self._machine.up:
            raise Unreachable(f"{self.node}: no connection to {self._machine.address} port 22: it is down")
        reply = run_line(self._machine, command.shell(), command.stdin or b"")
        said = " ".join(command.argv)
        if reply.drop:
            raise Unreachable(
                f"{self.node}: the connection was lost during {said}",
                state="it is not known whether the command did its work",
            )
        if reply.hang:
            self._machine.world.clock.sleep(min(reply.hang, command.timeout))
            if reply.hang >= command.timeout:
                raise RemoteTimeout(f"{self.node}: {said} did not end within {command.timeout:.0f} s")
        why = reply.err.strip()
        if command.sudo and reply.rc == 1 and REFUSED in reply.err:
            if self._machine.has_program(command.argv[0]):
                raise SudoRefused(f"{self.node}: sudo refuses {said}: {why}")
            reply, why = Reply(127, reply.out, reply.err), f"{command.argv[0]}: command not found"
        if reply.rc not in command.ok:
            words = f"{self.node}: {said} ended with {reply.rc}: {why}"
            raise RemoteCommandFailed(words, rc=reply.rc, stderr=reply.err)
        return reply


@contextmanager
def offered(world: World) -> Iterator[None]:
    """Let `simulated` find this world's nodes in this process."""
    _OFFERED.append(world)
    try:
        yield
    finally:
        _OFFERED.remove(world)


def simulated(
    name: str,
    uid: str,
    result: Callable[[int, str, str, float], R_co],
    download: Callable[[Path, int, str], D_co],
) -> MemoryConnection[R_co, D_co]:
    """The connection to a node that the API knows under this UID.

    Raises:
        SettingsError: no simulated cluster of this process has it, so it is real, or another's.
    """
    for world in _OFFERED:
        node = world.store.get("Node", name)
        if node is not None and node["metadata"]["uid"] == uid:
            return MemoryConnection(world.machines[name], result, download)
    raise SettingsError(
        f"spec.ssh.transport is memory, and {name} is no simulated node of this process",
        state="nothing was touched",
        next_step="remove spec.ssh.transport: it is for rehearsals only, real nodes are reached by ssh",
    )
