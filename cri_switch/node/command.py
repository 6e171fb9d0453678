"""A command for a node: argv, quoted by construction, with a deadline of its own."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One program with its arguments; never shell text.

    `ok` are the exit codes that are no failure, `timeout` is in seconds, `env` is handed to a program run by sudo
    (the sudo rule must allow it: SETENV), `secret` keeps stdin and arguments out of the log.
    """

    argv: tuple[str, ...]
    sudo: bool = True
    stdin: bytes | None = None
    env: tuple[tuple[str, str], ...] = ()
    timeout: float = 30.0
    ok: frozenset[int] = frozenset({0})
    secret: bool = False

    def shell(self) -> str:
        """The line that the user's login shell gets: fixed locale, `sudo -n`, every word quoted."""
        env = [f"{name}={value}" for name, value in self.env]
        if self.sudo:
            return "LC_ALL=C " + shlex.join(["sudo", "-n", *env, "--", *self.argv])
        words = " ".join(f"{name}={shlex.quote(value)}" for name, value in self.env)
        return " ".join(part for part in ("LC_ALL=C", words, shlex.join(self.argv)) if part)

    def __str__(self) -> str:
        return f"{self.argv[0]} ***" if self.secret else shlex.join(self.argv)


def sudo(*argv: str, timeout: float = 30.0, ok: Iterable[int] = (0,), stdin: bytes | None = None) -> Command:
    """A command run as root by `sudo -n`."""
    return Command(tuple(argv), timeout=timeout, ok=frozenset(ok), stdin=stdin)


def plain(*argv: str, timeout: float = 30.0, ok: Iterable[int] = (0,)) -> Command:
    """A command run as the ssh user."""
    return Command(tuple(argv), sudo=False, timeout=timeout, ok=frozenset(ok))


@dataclass(frozen=True)
class Result:
    """What a command answered; text is UTF-8 with replacement, `seconds` is its wall time."""

    rc: int
    stdout: str
    stderr: str = ""
    seconds: float = 0.0
