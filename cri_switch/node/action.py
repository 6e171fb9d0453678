"""The parts an action is made of, and how an action is performed or only shown.

An action is a generator: it reads facts, compares them with the wish and yields what is missing. Performing sends the
answers back in; a dry run reads the facts and executes nothing else. (The split of facts and operations is pyinfra's.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import NotProven, RemoteTimeout
from cri_switch.node import files
from cri_switch.node.command import Command, Result
from cri_switch.node.connection import Connection
from cri_switch.node.fact import Fact

T = TypeVar("T")


@dataclass(frozen=True)
class Read:
    """Read a fact; executed in a dry run too."""

    fact: Fact[Any]


@dataclass(frozen=True)
class Do:
    """Change something by a command; answers its Result."""

    command: Command
    why: str


@dataclass(frozen=True)
class Put:
    """Write a whole file, atomically; `expect` is the sha256 that was read ("" for a file that did not exist)."""

    path: str
    content: bytes
    why: str
    mode: int | None = None
    expect: str | None = None


@dataclass(frozen=True)
class Until:
    """Wait until a fact answers well, at most `seconds` (0: it must hold now); not executed in a dry run.

    `every` is the longest pause between two looks; the first is a quarter of it.
    """

    fact: Fact[Any]
    holds: Callable[[Any], bool]
    what: str
    seconds: float = 0.0
    every: float = 0.2
    next_step: str = ""


Part = Read | Do | Put | Until
Action = Generator[Part, Any, str]
"""Yields parts, returns one line that says what was done, or why there was nothing to do."""


def read(fact: Fact[T]) -> Generator[Part, Any, T]:
    """`value = yield from read(FACT)`: the typed form of `yield Read(FACT)`."""
    value: T = yield Read(fact)
    return value


@dataclass
class Performed:
    """What performing an action did: `changed` counts Do and Put, `lines` name them in order, `files` are the Puts."""

    summary: str = ""
    changed: int = 0
    lines: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


def perform(
    connection: Connection,
    action: Action,
    *,
    dry_run: bool = False,
    say: Callable[[str], None] = lambda _line: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Performed:
    """Carry an action out on a node, part by part; with `dry_run` only its facts are read.

    Raises: what the connection raises, RemoteTimeout or NotProven from an Until, and what the action itself raises.
    """
    done = Performed()
    answer: Any = None
    while True:
        try:
            part = action.send(answer)
        except StopIteration as stop:
            done.summary = str(stop.value or "")
            return done
        try:
            answer = _one(connection, part, done, dry_run, say, sleep)
        except BaseException as problem:
            action.throw(problem)  # an action may clean up or explain; most let it pass
            raise


def _one(
    connection: Connection,
    part: Part,
    done: Performed,
    dry_run: bool,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> Any:
    match part:
        case Read(fact):
            return fact.read(connection)
        case Do(command, why):
            done.changed += 1
            done.lines.append(f"{why}: {command}")
            say(done.lines[-1])
            return Result(0, "") if dry_run else connection.run(command)
        case Put(path, content, why, mode, expect):
            done.changed += 1
            done.lines.append(f"{why}: write {path} ({len(content)} bytes)")
            done.files[path] = content
            say(done.lines[-1])
            if not dry_run:
                files.write(connection, path, content, mode=mode, expect=expect)
            return None
        case Until():
            return None if dry_run else _wait(connection, part, sleep)


def _wait(connection: Connection, until: Until, sleep: Callable[[float], None]) -> Any:
    deadline, pause = Deadline.after(until.seconds) if until.seconds > 0 else None, until.every / 4
    while True:
        value = until.fact.read(connection)
        if until.holds(value):
            return value
        if deadline is None:
            raise NotProven(
                f"{connection.node}: {until.what} does not hold ({until.fact.name}: {value!r:.500})",
                next_step=until.next_step,
            )
        if deadline.expired:
            raise RemoteTimeout(
                f"{connection.node}: {until.what} not reached within {until.seconds:.0f} s"
                f" ({until.fact.name}: {value!r:.500})",
                next_step=until.next_step,
            )
        sleep(min(pause, deadline.remaining))
        pause = min(pause * 2, until.every)
