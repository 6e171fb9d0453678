"""apt on a node: simulated first, then run as jobs that wait for the lock and never ask a question."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from cri_switch.model.attempt import Attempt
from cri_switch.node.action import Do, Part, read
from cri_switch.node.command import Result, plain, sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.packages import HELD, MANUAL
from cri_switch.node.job import job

OPTIONS = (
    "-y",
    "-o",
    "Dpkg::Options::=--force-confold",
    "-o",
    "DPkg::Lock::Timeout=300",
    "-o",
    "APT::Get::AutomaticRemove=false",
    "-o",
    "APT::Get::Purge=false",
)
ENV = (("DEBIAN_FRONTEND", "noninteractive"), ("NEEDRESTART_MODE", "l"))


@dataclass(frozen=True)
class Simulation:
    """What apt would do: names of packages; `why_not` is its refusal, "" when it would work."""

    installs: frozenset[str]
    upgrades: frozenset[str]
    removes: frozenset[str]
    purges: frozenset[str]
    why_not: str = ""


def parse_simulation(result: Result) -> Simulation:
    """`apt-get -s`: "Inst NAME [OLD] (NEW ...)", "Remv NAME [OLD]", "Purg NAME [OLD]"; an OLD makes Inst an upgrade."""
    found: dict[str, set[str]] = {"Inst": set(), "Upgr": set(), "Remv": set(), "Purg": set()}
    for line in result.stdout.splitlines():
        if line_parts := re.match(r"^(Inst|Remv|Purg) (\S+)( \[)?", line):
            kind = "Upgr" if line_parts[1] == "Inst" and line_parts[3] else line_parts[1]
            found[kind].add(line_parts[2].partition(":")[0])
    why_not = "" if result.rc == 0 else (result.stderr.strip() or f"apt-get ended with {result.rc}")
    inst, upgr, remv, purg = (frozenset(found[kind]) for kind in ("Inst", "Upgr", "Remv", "Purg"))
    return Simulation(inst, upgr, remv, purg, why_not)


def simulated(verb: str, *names: str) -> Fact[Simulation]:
    """What `apt-get VERB NAMES` would do, asked without root."""
    command = plain("apt-get", "-s", *OPTIONS, "--no-install-recommends", verb, *names, ok=(0, 1, 100), timeout=120)
    return Fact(f"apt-get -s {verb} {' '.join(names)}", command, parse_simulation)


def apt(attempt: Attempt, name: str, argv: Sequence[str], *, seconds: float, why: str) -> Generator[Part, Any, None]:
    """One apt-get as a job of this attempt.

    Raises: RemoteCommandFailed, RemoteTimeout (see job).
    """
    unit = f"{attempt.migration_id}-{attempt.number}-{name}"
    yield from job(unit, ("apt-get", *OPTIONS, *argv), seconds=seconds, why=why, env=ENV)


def keep_from_autoremove(names: Sequence[str]) -> Generator[Part, Any, list[str]]:
    """Mark packages manual that are not; answers which."""
    manual = yield from read(MANUAL)
    missing = [name for name in names if name not in manual]
    if missing:
        yield Do(sudo("apt-mark", "manual", *missing, timeout=360), "keep them when Docker's packages go")
    return missing


def lift_holds(names: Sequence[str]) -> Generator[Part, Any, list[str]]:
    """Lift the holds of packages; answers which, for restore_holds."""
    held = yield from read(HELD)
    mine = [name for name in names if name in held]
    if mine:
        yield Do(sudo("apt-mark", "unhold", *mine, timeout=360), "lift the administrator's hold")
    return mine


def restore_holds(names: Sequence[str]) -> Generator[Part, Any, None]:
    """Hold packages again."""
    if names:
        yield Do(sudo("apt-mark", "hold", *names, timeout=360), "restore the administrator's hold")
