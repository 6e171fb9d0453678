"""A socket of systemd's: its file outlives it, as docker.sock was seen to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine


class SocketUnit:
    """docker.socket."""

    argv: tuple[str, ...] = ()
    restart_sec = 1.0

    def __init__(self, machine: Machine, path: str) -> None:
        self._machine, self._path = machine, path

    def start(self) -> str:
        """Listen."""
        self._machine.socket_file(self._path)
        return ""

    def stop(self) -> None:
        """The file stays."""
