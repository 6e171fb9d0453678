"""Take labs away: a whole one (`down`), or what killed runs left (`gc`), by what each lab recorded."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.lab import cgroups, machine, network, state
from tests.lab.process import Process, boot_id, run, wait_for
from tests.lab.report import LabError, say
from tests.lab.state import Lab


def down(lab: Lab) -> None:
    """Machines, cgroups, namespace, mounts, directory, in this order; a killed `down` is finished by `gc`."""
    lab.phase, lab.owner = "stopping", Process.of(os.getpid())
    lab.save()
    with ThreadPoolExecutor(max_workers=16) as pool:
        list(pool.map(partial(machine.stop, grace=1), lab.machines.values()))  # nothing of them is kept
    for each in lab.machines.values():
        cgroups.remove(each.cgroups)
    network.remove(lab.name)
    _unmount(lab)
    remains = state.base() / f"{state.LEFTOVER}{lab.name}"
    lab.directory.rename(remains)
    shutil.rmtree(remains)
    say(f"lab {lab.name} is gone")


def collect() -> None:
    """Take all garbage away; call it with the state's lock held."""
    for remains in state.base().glob(f"{state.LEFTOVER}*"):
        shutil.rmtree(remains)
    for lab in state.every():
        if is_garbage(lab, boot_id()):
            say(f"lab {lab.name}: a killed run left it ({lab.phase})")
            down(lab)


def is_garbage(lab: Lab, boot: str) -> bool:
    """Nobody can want it: its command was killed on the way, or its run is gone, or the machine was restarted."""
    if lab.phase != "up":
        return not lab.owner.alive
    return lab.owner.boot != boot or (lab.user is not None and not lab.user.alive)


def _umount(mount: str) -> bool:
    """False while what has just ended still holds it."""
    return run(["umount", mount], check=False).returncode == 0


def _unmount(lab: Lab) -> None:
    """What is still mounted in the lab's directory or at a recorded place: removing a tree through a mount would
    remove what is mounted."""
    wanted = [str(mount) for mount in lab.mounts]
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted(mounted, reverse=True):
        if mount in wanted or mount.startswith(f"{lab.directory}/"):
            wait_for(f"umount {mount}", partial(_umount, mount), 20)
    left = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f" {lab.directory}/" in line]
    if left:
        raise LabError(f"still mounted under {lab.directory}: {left[0]}")
