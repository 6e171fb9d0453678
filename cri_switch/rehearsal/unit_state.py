"""What a unit is to systemd: what it does when it is started, how it stands, how its job ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Daemon(Protocol):
    """What a service or socket does when it is started and stopped."""

    @property
    def argv(self) -> tuple[str, ...]:
        """Its process; empty for a socket."""
        ...

    @property
    def restart_sec(self) -> float:
        """Seconds until systemd starts it again after a failure."""
        ...

    def start(self) -> str:
        """Begin; "" or why it ended at once."""
        ...

    def stop(self) -> None:
        """End."""
        ...


@dataclass(frozen=True)
class JobEnd:
    """How a transient unit's program ends: exit code and output, and how many seconds `later` than it should."""

    rc: int
    output: str
    later: float = 0.0


@dataclass
class State:
    """What systemd knows of a unit; times are seconds since the epoch, 0 for never."""

    active: str = "inactive"
    sub: str = "dead"
    main_pid: int = 0
    started: float = 0.0
    entered: float = 0.0
    result: str = "success"
    status: int = 0
    restarts: int = 0
    restart_at: float | None = None
    transient: bool = False
    ends_at: float | None = None
    job: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    end: JobEnd | None = None
    """Decided already, and yet to come."""
