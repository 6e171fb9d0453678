"""A connection for tests: answers that were written down beforehand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.node.command import Command, Result
from cri_switch.node.transfer import Download

Answer = Result | str | BaseException | Callable[[Command], Result]


class ScriptedConnection:
    """Answers commands by the first key that fits `str(command)`: a part of it, or a compiled regex (search).

    A value is a Result, a str (stdout of rc 0), an exception to raise, or a function of the command. An exit code
    outside `command.ok` raises RemoteCommandFailed as a real connection does. `ran` are the commands in order; a
    command that no key fits raises AssertionError.
    """

    def __init__(self, node: str, answers: Mapping[str | re.Pattern[str], Answer]) -> None:
        self._node = node
        self.answers: dict[str | re.Pattern[str], Answer] = dict(answers)
        self.ran: list[Command] = []
        self.closed = False

    @property
    def node(self) -> str:
        """The node's name."""
        return self._node

    @property
    def lines(self) -> list[str]:
        """The commands as text, in order."""
        return [str(command) for command in self.ran]

    def run(self, command: Command) -> Result:
        """Look the answer up."""
        self.ran.append(command)
        text = str(command)
        for key, answer in self.answers.items():
            if key in text if isinstance(key, str) else key.search(text):
                return self._answer(command, answer)
        raise AssertionError(f"{self._node}: nothing was written down for: {text}")

    def run_to_file(self, command: Command, path: Path) -> Download:
        """The answer's stdout as a file, as SshConnection.run_to_file does it."""
        content = self.run(command).stdout.encode("utf-8", "surrogateescape")
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(content)
        return Download(path, len(content), hashlib.sha256(content).hexdigest())

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def _answer(self, command: Command, answer: Answer) -> Result:
        if isinstance(answer, BaseException):
            raise answer
        result = (
            Result(0, answer) if isinstance(answer, str) else answer if isinstance(answer, Result) else answer(command)
        )
        if result.rc not in command.ok:
            raise RemoteCommandFailed(
                f"{self._node}: {command} ended with {result.rc}: {result.stderr}", rc=result.rc, stderr=result.stderr
            )
        return result
