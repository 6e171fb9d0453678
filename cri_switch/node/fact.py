"""A fact: a read-only command and a pure parser of its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cri_switch.node.command import Command, Result
from cri_switch.node.connection import Connection

T = TypeVar("T")


@dataclass(frozen=True)
class Fact(Generic[T]):
    """Something that can be read off a node without changing it."""

    name: str
    command: Command
    parse: Callable[[Result], T]

    def read(self, connection: Connection) -> T:
        """Ask the node now."""
        return self.parse(connection.run(self.command))
