"""A long command as a transient systemd unit: a lost connection neither kills it nor starts it twice.

Only options that systemd 219 knows; the output is in the node's journal under the unit's name.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Generator, Sequence
from typing import Any

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.model.secrets import masked
from cri_switch.node.action import Do, Part, Until, read
from cri_switch.node.command import sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.units import Unit, units

LOG_LINES = 30
NICE = ("ionice", "-c2", "-n7", "nice", "-n10")


def running(unit: Unit) -> bool:
    """Whether the command is still at work (RemainAfterExit: afterwards the unit is active and exited, or failed)."""
    return unit.active_state in ("activating", "reloading", "deactivating") or (
        unit.active_state == "active" and unit.sub_state != "exited"
    )


def log_fact(unit: str) -> Fact[str]:
    """The last lines that a unit printed."""
    command = sudo("journalctl", "-u", unit, "-n", str(LOG_LINES), "-o", "cat", "--no-pager", ok=(0, 1))
    return Fact(f"log of {unit}", command, lambda result: masked(result.stdout.strip()))


def unit_name(name: str, argv: Sequence[str]) -> str:
    """The unit of a job: its name and a hash of its words, so that another command is never taken for this one."""
    return f"cri-switch-{name}-{hashlib.sha256(shlex.join(argv).encode()).hexdigest()[:8]}.service"


def job(
    name: str,
    argv: Sequence[str],
    *,
    seconds: float,
    why: str,
    nice: bool = False,
    env: Sequence[tuple[str, str]] = (),
) -> Generator[Part, Any, None]:
    """Run `argv` as root as unit cri-switch-NAME-HASH until it ends; by `yield from` inside an action.

    A unit of that name that still runs is waited for, one that ended well is taken as done, one that failed is started
    anew. The name must carry the attempt, so that an earlier attempt's result is not mistaken for this one's.

    Raises:
        RemoteCommandFailed: it failed; with the last lines of its log.
        RemoteTimeout: it still runs after `seconds`; it is left alone, the same call waits on.
    """
    unit = unit_name(name, argv)
    state: Unit = (yield from read(units(unit)))[unit]
    if state.active_state == "failed":
        yield Do(sudo("systemctl", "reset-failed", unit), f"{why} (an earlier try failed)")
    if state.active_state in ("failed", "inactive"):
        yield Do(sudo(*_start(unit, [*(NICE if nice else ()), *argv], env)), why)
    ended: dict[str, Unit] | None = yield Until(
        units(unit),
        lambda found: not running(found[unit]),
        f"the end of {argv[0]} ({why})",
        seconds=seconds,
        next_step=f"look at it: journalctl -u {unit}; it was left running, and the same run again waits for it",
    )
    if ended is None:  # a dry run
        return
    state = ended[unit]
    if state.active_state == "failed" or state.exit_status != 0:
        said = yield from read(log_fact(unit))
        yield Do(sudo("systemctl", "reset-failed", unit), f"{why}: forget the failed unit")
        raise RemoteCommandFailed(
            f"{' '.join(argv)} ended with {state.exit_status} ({state.result}): {said[-2000:]}",
            rc=state.exit_status,
            stderr=said,
            state=f"{why}: failed",
            next_step=f"the whole output: journalctl -u {unit}",
        )
    yield Do(sudo("systemctl", "stop", unit), f"{why}: forget the finished unit")


def _start(unit: str, argv: Sequence[str], env: Sequence[tuple[str, str]]) -> list[str]:
    given = [("LC_ALL", "C"), *env]
    return [
        "systemd-run",
        f"--unit={unit}",
        "--description=cri-switch",
        "--remain-after-exit",
        *(f"--setenv={key}={value}" for key, value in given),
        "--",
        *argv,
    ]
