"""A rehearsal in a process of its own: `python -m cri_switch.rehearsal --directory DIR ...`, and how to start one.

The child says one JSON line when its cluster is ready. On stdin it takes one JSON object a line and answers each with
one: {"ask": "report"}, {"ask": "fault", "name": NAME, "node": NODE}, {"ask": "node", "node": NODE}, {"ask": "reboot",
"node": NODE}, {"ask": "clean"}. It ends when stdin does.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from cri_switch.rehearsal.seen import NodeSeen, Seen

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
    spec: dict[str, Any] = Field(default_factory=dict)
    """Further settings for migration.yaml; what they promise is held against every run."""


class RehearsalFailed(Exception):
    """The child did not come up or has ended: what it said. Or it was asked for what it does not know."""


def refuse(lines: Sequence[str]) -> None:
    """Raises RehearsalFailed with what the rehearsal did not know, or which promises were broken, if anything."""
    if lines:
        raise RehearsalFailed("\n".join(lines))


class RehearsalProcess:
    """A running rehearsal; leaving the `with` ends it. It comes up beside what its caller does: `wait` for it.

    A block that ends well raises RehearsalFailed when anything was asked for that the rehearsal does not know, or a
    promise was broken.
    """

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.directory = Path(wish.directory)
        self._process: subprocess.Popen[str] | None = None
        self._ready = False

    @property
    def pid(self) -> int:
        """The child's; 0 before it is started."""
        return self._process.pid if self._process is not None else 0

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
        try:
            if kind is None and self._ready:
                seen = self.seen()
                refuse([*seen.complaints, *seen.broken])
        finally:
            self._end()

    def _end(self) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it is dead, with a question unread
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
        self._ready = True
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

    def clean(self) -> None:
        """A person is about to type `cleanup`: Docker's data may go from nodes that are switched."""
        self._ask({"ask": "clean"})

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
