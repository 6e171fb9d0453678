"""What a simulated node needs of the world around it: time, the cluster's objects, a place to complain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

Obj = dict[str, Any]


class Clock(Protocol):
    """Time of the simulated world; `runs`: it passes by itself."""

    runs: bool

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def wall(self) -> float:
        """What a node's `date` says."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let simulated seconds pass."""
        ...


class Objects(Protocol):
    """The part of the store that a kubelet uses."""

    def create(self, kind: str, obj: Obj) -> Obj:
        """Add an object."""
        ...

    def get(self, kind: str, name: str, namespace: str = "") -> Obj | None:
        """A copy, or None."""
        ...

    def list(self, kind: str, namespace: str | None = None) -> list[Obj]:
        """Copies of all."""
        ...

    def change(self, kind: str, name: str, namespace: str, fn: Callable[[Obj], Any]) -> Obj:
        """Read, modify, write under the lock."""
        ...

    def acting(self, actor: str) -> AbstractContextManager[None]:
        """What this thread changes inside is `actor`'s doing."""
        ...

    def finalize(self, kind: str, obj: Obj) -> None:
        """Take a deleted object away for good."""
        ...


class World(Protocol):
    """All of it."""

    @property
    def clock(self) -> Clock:
        """Its time."""
        ...

    @property
    def store(self) -> Objects:
        """Its API objects."""
        ...

    @property
    def machines(self) -> Mapping[str, Machine]:
        """Its nodes by name."""
        ...

    def complain(self, text: str) -> None:
        """Note that something was asked which the rehearsal does not know: the test fails by it."""
        ...
