"""A rehearsal in a process of its own: `python -m cri_switch.rehearsal --directory DIR ...`, and how to start one.

The child says one JSON line when its cluster is ready. On stdin it takes one JSON object a line and answers each with
one: {"ask": "report"}, {"ask": "fault", "name": NAME, "node": NODE}, {"ask": "node", "node": NODE}, {"ask": "reboot",
"node": NODE}. It ends when stdin does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

_START_SECONDS = 60


class Wish(BaseModel):
    """What the child is to make; its command line carries it as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    directory: str
    nodes: int = 11
    control_planes: int = 3
    release: str = "v1.20.2"
    cgroup_driver: str = "cgroupfs"
    speed: float = 10.0
    migrated: tuple[str, ...] = ()
    cordoned: tuple[str, ...] = ()
    self_contained_docker: tuple[str, ...] = ()
    replicas: int = 4
    fault: str = ""
    fault_node: str = ""
    max_unavailable: int = 1
    failures_allowed: int = 0
    spec: dict[str, Any] = Field(default_factory=dict)
    """Further settings for migration.yaml."""


class Seen(BaseModel):
    """What the simulator has to say."""

    complaints: list[str] = Field(default_factory=list)
    broken: list[str] = Field(default_factory=list)
    unfinished: list[str] = Field(default_factory=list)
    most_out: int = 0
    calls: int = 0


class NodeSeen(BaseModel):
    """One simulated machine, looked at by its own eyes."""

    journal: list[dict[str, Any]] = Field(default_factory=list)
    """Every line of cri-switch's journals there."""
    jobs: dict[str, bool] = Field(default_factory=dict)
    """Transient units by name, and whether each is at work."""
    installed: list[str] = Field(default_factory=list)
    """Packages."""


class RehearsalFailed(Exception):
    """The child did not come up or has ended: what it said."""


class RehearsalProcess:
    """A running rehearsal; leaving the `with` ends it. It comes up beside what its caller does: `wait` for it."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.directory = Path(wish.directory)
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        words: Sequence[str] = (sys.executable, "-m", "cri_switch.rehearsal", self.wish.model_dump_json())
        self._log = (self.directory / "rehearsal.log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, start_new_session=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self._log.close()

    def wait(self) -> Path:
        """Until its cluster is ready; the settings file for `cri-switch`. Raises RehearsalFailed."""
        self._line()
        return self.directory / "migration.yaml"

    def seen(self) -> Seen:
        """What the simulator saw so far."""
        return Seen.model_validate(self._ask({"ask": "report"}))

    def node(self, name: str) -> NodeSeen:
        """How a machine stands now."""
        return NodeSeen.model_validate(self._ask({"ask": "node", "node": name}))

    def reboot(self, name: str) -> None:
        """Power a machine off and on; it takes its time to come back."""
        self._ask({"ask": "reboot", "node": name})

    def fault(self, name: str, node: str) -> None:
        """Put a fault in; "" takes back one that meets commands."""
        self._ask({"ask": "fault", "name": name, "node": node})

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process is not None  # noqa: S101
        assert self._process.stdin is not None  # noqa: S101
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as problem:
            raise RehearsalFailed(self._said()) from problem
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(10)
            raise RehearsalFailed(self._said())
        found: dict[str, Any] = json.loads(line)
        return found

    def _said(self) -> str:
        self._log.flush()
        said = (self.directory / "rehearsal.log").read_text(encoding="utf-8")[-2000:]
        return f"the rehearsal ended: {said}"
