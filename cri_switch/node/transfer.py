"""A connection that can also bring a command's output home as a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cri_switch.node.command import Command
from cri_switch.node.connection import Connection


@dataclass(frozen=True)
class Download:
    """A file that came from a node: where it is here, its size in bytes and its sha256."""

    path: Path
    size: int
    sha256: str


class Transfer(Connection, Protocol):
    """What a backup needs of a node."""

    def run_to_file(self, command: Command, path: Path) -> Download:
        """Run it with stdout written to a new local file, 0600; a command that fails leaves no file.

        Raises: as Connection.run.
        """
        ...
