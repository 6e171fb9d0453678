"""One live connection per node for the whole process."""

from __future__ import annotations

import threading
from collections.abc import Callable

from cri_switch.model.migration import Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.transfer import Transfer

Opener = Callable[[NodeRef, Ssh], Transfer]


class ConnectionPool:
    """Connections by node and settings, made by `opener`; thread-safe, opening one node never waits for another."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._lock = threading.Lock()
        self._opening: dict[tuple[str, str], threading.Lock] = {}
        self._connections: dict[tuple[str, str], Transfer] = {}

    def get(self, node: NodeRef, ssh: Ssh) -> Transfer:
        """The node's connection, opened when there is none.

        Raises: what the opener raises; the next call tries again.
        """
        key = (node.uid or node.name, ssh.model_dump_json())
        with self._lock:
            opening = self._opening.setdefault(key, threading.Lock())
        with opening:
            with self._lock:
                connection = self._connections.get(key)
            if connection is None:
                connection = self._opener(node, ssh)
                with self._lock:
                    self._connections[key] = connection
            return connection

    def drop(self, node: NodeRef) -> None:
        """Close the node's connections; the next get opens a new one (after a reboot)."""
        name = node.uid or node.name
        with self._lock:
            gone = [self._connections.pop(key) for key in list(self._connections) if key[0] == name]
        for connection in gone:
            connection.close()

    def close_all(self) -> None:
        """Close everything."""
        with self._lock:
            gone = list(self._connections.values())
            self._connections.clear()
        for connection in gone:
            connection.close()
