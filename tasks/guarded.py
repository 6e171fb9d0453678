"""Questions of which each may fail without taking the others' answers with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import yaml

from cri_switch.model.errors import CriSwitchError, NotProven, SudoRefused, Unreachable
from cri_switch.model.finding import Finding
from cri_switch.node.connection import Connection
from cri_switch.node.fact import Fact
from cri_switch.render.errors import RenderError

T = TypeVar("T")
D = TypeVar("D")
_NOT_UNDERSTOOD = (ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError)
"""What a parser raises at an answer that nobody expected."""


class Guarded:
    """Asks; `problems` are those that were met, in order."""

    def __init__(self) -> None:
        self.problems: list[CriSwitchError] = []

    def ask(self, fact: Fact[T], connection: Connection, otherwise: D) -> T | D:
        """A fact, or `otherwise`. Raises Unreachable."""
        return self.attempt(fact.name, lambda: fact.read(connection), otherwise)

    def attempt(self, what: str, act: Callable[[], T], otherwise: D) -> T | D:
        """What `act` answers; where it fails the problem is kept and the answer is `otherwise`.

        Raises: Unreachable, after which nothing else would answer.
        """
        try:
            return act()
        except Unreachable:
            raise
        except CriSwitchError as problem:
            self.problems.append(problem)
        except _NOT_UNDERSTOOD as problem:
            told = NotProven(
                f"{what}: an answer that is not understood: {type(problem).__name__}: {problem}",
                next_step="ask it on the node by hand, and report it with the answer",
                finding="AnswerNotUnderstood",
            )
            told.__cause__ = problem
            self.problems.append(told)
        return otherwise

    def findings(self, node: str) -> list[Finding]:
        """The problems as errors of this node; of several refusals by sudo the first one."""
        refused = [problem for problem in self.problems if isinstance(problem, SudoRefused)]
        return [_finding(problem, node) for problem in self.problems if problem not in refused[1:]]


def _finding(problem: CriSwitchError, node: str) -> Finding:
    name = problem.finding if isinstance(problem, NotProven) else type(problem).__name__
    if isinstance(problem, RenderError):
        name = "FileNotUnderstood"
    what = problem.what if node in problem.what else f"{node}: {problem.what}"
    return Finding("error", name, what, node=node, remedy=problem.next_step)
