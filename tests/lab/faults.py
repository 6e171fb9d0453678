"""Faults on demand: a machine's network, its disk, and the package repository."""

from __future__ import annotations

import time
from typing import Literal

from tests.lab import disks, network
from tests.lab.machine import execute, write
from tests.lab.process import run
from tests.lab.report import LabError
from tests.lab.server_files import PACKAGES, PACKAGES_MODE
from tests.lab.state import Lab, MachineState

Mode = Literal["ok", "fail", "hang"]
_FILLER = "/var/lab-filler"
_DISABLED, _FORWARDING = "0", "3"  # a bridge port's states
_MEGABYTE = 2**20
_LAST = 32  # fallocate cannot have the last blocks, what is written can


def cut(lab: Lab, machine: MachineState, seconds: float | None = None) -> None:
    """Take its network away, for some seconds or until `mend`: its packets vanish, and its link stays up."""
    _set_port(lab, machine, _DISABLED)
    if seconds is not None:
        try:
            time.sleep(seconds)
        finally:
            mend(lab, machine)


def mend(lab: Lab, machine: MachineState) -> None:
    """Give its network back; a reboot does so too."""
    _set_port(lab, machine, _FORWARDING)


def fill(machine: MachineState, leave: int) -> None:
    """Fill its disk until so many megabytes are left, with 0 until nothing more can be written; no other's disk."""
    if not disks.is_own(machine):
        raise LabError(f"{machine.spec.name} has no disk of its own: filling it would fill the host's")
    unfill(machine)
    wanted = _free(machine) - (leave or _LAST) * _MEGABYTE
    if wanted <= 0:
        raise LabError(f"{machine.spec.name} has only {_free(machine) // _MEGABYTE} MB left")
    execute(machine, "fallocate", "-l", str(wanted), _FILLER)
    if leave == 0:
        execute(machine, "sh", "-c", f"cat /dev/zero >> {_FILLER}; sync", check=False)


def unfill(machine: MachineState) -> None:
    execute(machine, "rm", "-f", _FILLER)


def repository(lab: Lab, mode: Mode) -> None:
    """Let the package repository serve, fail (503), or hang (it takes requests and does not answer)."""
    if execute(lab.server, "test", "-x", PACKAGES, check=False).returncode != 0:
        raise LabError(f"lab {lab.name} was built before its repository could fail: build it anew")
    write(lab.server, PACKAGES_MODE, f"{mode}\n")


def _set_port(lab: Lab, machine: MachineState, state: str) -> None:
    """The bridge's port of the machine: the other end of its host0."""
    number = execute(machine, "cat", "/sys/class/net/host0/iflink").stdout.strip()
    links = run([*network.inside(lab.name), "ip", "-o", "link"]).stdout.splitlines()
    port = next(line.split()[1].split("@")[0].rstrip(":") for line in links if line.startswith(f"{number}:"))
    run([*network.inside(lab.name), "bridge", "link", "set", "dev", port, "state", state])


def _free(machine: MachineState) -> int:
    answer = execute(machine, "df", "--output=avail", "-B1", "/").stdout
    return int(answer.split()[-1])
