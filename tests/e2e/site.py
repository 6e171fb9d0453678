"""The lab as the tests see it: the API as admin, the machines as root. Never the pipeline's word."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import machine, network, state
from tests.lab.access import kubectl
from tests.lab.state import Lab

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Site:
    """One lab by name; its record is read anew each time, because a reboot changes it."""

    name: str

    @property
    def lab(self) -> Lab:
        return state.load(self.name)

    @property
    def directory(self) -> Path:
        return self.lab.directory

    @property
    def inside(self) -> list[str]:
        """What to put before a command so that it runs in the lab's network."""
        return network.inside(self.name)

    @property
    def nodes(self) -> list[str]:
        return [node.spec.name for node in self.lab.nodes]

    @property
    def workers(self) -> list[str]:
        return [node.spec.name for node in self.lab.workers]

    @property
    def control_plane(self) -> str:
        return self.lab.control_plane.spec.name

    def address(self, node: str) -> str:
        return self.lab.machine(node).spec.address

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True, timeout: float = 60) -> str:
        """kubectl's output; empty when it failed unchecked."""
        return kubectl(self.lab, *arguments, stdin=stdin, check=check, timeout=timeout)

    def get(self, kinds: str, *arguments: str) -> list[Object]:
        """All objects of these kinds in all namespaces. An API that does not answer is an error, never "none"."""
        listed = json.loads(self.kubectl("get", kinds, "-A", "-o", "json", *arguments))
        return list(listed["items"])

    def root(self, node: str, *argv: str, stdin: str | None = None, timeout: float = 60) -> str:
        """What a program says that root runs inside a machine; its failure is an error."""
        return machine.execute(self.lab.machine(node), *argv, stdin=stdin, timeout=timeout).stdout

    def code(self, node: str, *argv: str) -> int:
        """A program's exit code, for questions."""
        return machine.execute(self.lab.machine(node), *argv, timeout=60, check=False).returncode

    def read(self, node: str, path: str) -> str | None:
        """A file's text, or None when there is none."""
        return self.root(node, "cat", path) if self.code(node, "test", "-e", path) == 0 else None

    def write(self, node: str, path: str, content: str) -> None:
        machine.write(self.lab.machine(node), path, content)
