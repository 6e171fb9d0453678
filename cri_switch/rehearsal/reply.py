"""A program's call on a node and its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine


class UnknownUse(Exception):
    """A program or option that the rehearsal does not know: it must be taught, or the pipeline does something new."""


@dataclass(frozen=True)
class Call:
    """`argv` without sudo; `root` says that it came by sudo."""

    machine: Machine
    argv: tuple[str, ...]
    stdin: bytes = b""
    env: Mapping[str, str] = field(default_factory=dict)
    root: bool = False

    @property
    def args(self) -> list[str]:
        """What comes after the program's name."""
        return list(self.argv[1:])


@dataclass(frozen=True)
class Reply:
    """Exit code, stdout, stderr; `drop` and `hang` are a fault's."""

    rc: int = 0
    out: bytes = b""
    err: str = ""
    hang: float = 0.0
    drop: bool = False


Program = Callable[[Call], Reply]


def said(text: str, rc: int = 0, err: str = "") -> Reply:
    """A reply of text."""
    return Reply(rc, text.encode("utf-8", "surrogateescape"), err)


def failed(err: str, rc: int = 1, out: str = "") -> Reply:
    """A failure with its words."""
    return Reply(rc, out.encode(), err if err.endswith("\n") else f"{err}\n")


def after(args: list[str], *options: str) -> list[str]:
    """What comes after these words, which must be there in this order; UnknownUse."""
    if args[: len(options)] != list(options):
        raise UnknownUse(f"expected {' '.join(options)}")
    return args[len(options) :]


def without_dashes(args: list[str]) -> list[str]:
    """Operands: the words with a leading `--` taken off; UnknownUse for an option."""
    rest = args[1:] if args[:1] == ["--"] else args
    if any(word.startswith("-") for word in rest) and rest is args:
        raise UnknownUse(f"option {next(word for word in rest if word.startswith('-'))}")
    return rest
