"""What a step needs of a node: to run one command."""

from __future__ import annotations

from typing import Protocol

from cri_switch.node.command import Command, Result


class Connection(Protocol):
    """A way to a node: real (ssh), simulated (rehearsal), or scripted (tests)."""

    @property
    def node(self) -> str:
        """The node's name, for messages."""
        ...

    def run(self, command: Command) -> Result:
        """Run it and return its result.

        Raises:
            RemoteCommandFailed: the exit code is not in `command.ok`.
            RemoteTimeout: it did not end within `command.timeout`.
            Unreachable: the node cannot be reached (HostKeyRefused, LoginRefused are not worth another try).
            SudoRefused: sudo asks for a password or its rule does not allow the command.
        """
        ...

    def close(self) -> None:
        """End it; a closed connection may be closed again."""
        ...
