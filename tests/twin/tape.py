"""What the pipeline says to nodes and hears, taken down behind its back: every command of every connection."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import tasks.rollback
import tasks.step
from cri_switch.model.errors import CriSwitchError, NotProven, RemoteCommandFailed
from cri_switch.node.command import Command, Result
from tasks import reach
from tests.twin.shape import shape, use
from tests.twin.standing import standing

_ALL = frozenset(range(256))


@dataclass(frozen=True)
class Heard:
    """One command and its answer; `error` is what the connection raised instead of an answer."""

    node: str
    stage: str
    argv: tuple[str, ...]
    sudo: bool
    rc: int = 0
    stdout: str = ""
    stderr: str = ""
    error: str = ""

    @property
    def shape(self) -> str:
        """The command as the list has it."""
        return ("sudo " if self.sudo else "") + shape(self.argv)

    @property
    def use(self) -> tuple[str, str, str]:
        """Where it was issued, and how: what is compared with the twin's."""
        return self.node, self.stage, ("sudo " if self.sudo else "") + use(self.argv)


@dataclass
class Tape:
    """`states` are how a node stood at the end of a stage; `fault` fails that step of that node once, when it is done,
    by an `error` and after an `upset` of the world."""

    heard: list[Heard] = field(default_factory=list)
    states: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    stages: dict[str, str] = field(default_factory=dict)
    run: str = ""
    fault: tuple[str, str] | None = None
    error: type[CriSwitchError] = NotProven
    upset: Callable[[], None] = lambda: None
    _quiet: threading.local = field(default_factory=threading.local)

    @contextmanager
    def listening(self, connections: type) -> Iterator[None]:
        """Hear what connections of this class are told, and where each node's migration stands."""
        with ExitStack() as stack:
            stack.enter_context(patch.object(connections, "run", self._run(connections.run)))  # type: ignore[attr-defined]
            stack.enter_context(patch.object(connections, "run_to_file", self._to_file(connections.run_to_file)))  # type: ignore[attr-defined]
            for module in (tasks.step, tasks.rollback):
                stack.enter_context(patch.object(module, "write_down", self._write_down(module.write_down)))
            yield

    def save(self, path: Path) -> None:
        """As JSON."""
        path.touch(mode=0o600)
        path.write_text(json.dumps({"heard": [asdict(one) for one in self.heard], "states": self.states}))

    @classmethod
    def load(cls, path: Path) -> Tape:
        """What was saved."""
        raw = json.loads(path.read_text())
        heard = [Heard(**{**one, "argv": tuple(one["argv"])}) for one in raw["heard"]]
        return cls(heard, [(node, stage, state) for node, stage, state in raw["states"]])

    def _note(self, connection: Any, command: Command, result: Result | None, error: str = "") -> None:
        if not getattr(self._quiet, "on", False):
            node, answer = connection.node, result or Result(-1, "")
            stage = self.stages.get(node, f"{self.run}:before")
            self.heard.append(
                Heard(node, stage, command.argv, command.sudo, answer.rc, answer.stdout, answer.stderr, error)
            )

    def _run(self, original: Callable[..., Any]) -> Callable[..., Any]:
        tape = self

        def run(connection: Any, command: Command) -> Any:
            try:
                result = original(connection, replace(command, ok=_ALL))
            except CriSwitchError as problem:
                tape._note(connection, command, None, type(problem).__name__)
                raise
            tape._note(connection, command, result)
            if result.rc not in command.ok:
                raise RemoteCommandFailed(
                    f"{connection.node}: {command} ended with {result.rc}: {result.stderr.strip()[-500:]}",
                    rc=result.rc,
                    stderr=result.stderr,
                )
            return result

        return run

    def _to_file(self, original: Callable[..., Any]) -> Callable[..., Any]:
        tape = self

        def run_to_file(connection: Any, command: Command, path: Path) -> Any:
            try:
                download = original(connection, command, path)
            except CriSwitchError as problem:
                tape._note(connection, command, None, type(problem).__name__)
                raise
            tape._note(connection, command, Result(0, "some bytes" if download.size else ""))
            return download

        return run_to_file

    def _write_down(self, original: Callable[..., None]) -> Callable[..., None]:
        tape = self

        def write_down(attempt: Any, migration: Any, step: str, event: Any, summary: str = "") -> None:
            name = attempt.node.name
            tape.stages[name] = f"{tape.run}:{step}"
            original(attempt, migration, step, event, summary)
            if event in ("done", "noop"):
                with tape.unheard():
                    stood = standing(reach.node(attempt.node, migration))
                tape.states.append((name, tape.stages[name], stood))
                tape.stages[name] = f"{tape.run}:after {step}"
                if tape.fault == (name, step):
                    tape.fault = None
                    tape.upset()
                    raise tape.error(f"made to fail after {step}")

        return write_down

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """What this thread says is not taken down."""
        self._quiet.on = True
        try:
            yield
        finally:
            self._quiet.on = False
