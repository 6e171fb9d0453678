"""A disk of its own for every machine: an XFS image with reflink, mounted by loop. Clones of a root take seconds.

Where there are no loop devices or no XFS, a plain directory stands in: snapshots are then whole copies, and a
machine's disk cannot be filled without filling everyone's.
"""

from __future__ import annotations

import os
import shutil
import stat
import threading
from pathlib import Path

from tests.lab.process import run
from tests.lab.report import LabError, say
from tests.lab.state import Lab, MachineState

_SIZE = "30G"  # sparse: it takes of the host's disk what is written
_LOOP_MAJOR = 7
_one_at_a_time = threading.Lock()


def create(lab: Lab, machine: MachineState) -> None:
    """Make and mount the machine's disk, as the directory that its root lies in."""
    place = machine.root.parent
    place.mkdir(parents=True)
    image = lab.directory / "disks" / f"{machine.spec.name}.img"
    image.parent.mkdir(exist_ok=True)
    try:
        run(["truncate", "-s", _SIZE, str(image)])
        run(["mkfs.xfs", "-q", "-m", "reflink=1", str(image)])
        with _one_at_a_time:
            _loop_nodes()
            run(["mount", "-o", "loop,noatime", str(image), str(place)])
    except (LabError, OSError) as error:
        image.unlink(missing_ok=True)
        reason = str(error).splitlines()[-1]
        say(f"{machine.spec.name}: a plain directory instead of an XFS image (slow snapshots, no fill): {reason}")


def is_own(machine: MachineState) -> bool:
    """Whether the machine really has a disk of its own."""
    return machine.root.parent.is_mount()


def clone(source: Path, target: Path) -> None:
    """Copy a root within its disk, by reflink where there is any."""
    run(["cp", "-a", "--reflink=auto", str(source), str(target)], timeout=600)


def remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def _loop_nodes() -> None:
    """Make the next device's node where /dev does not grow by itself."""
    device = Path(run(["losetup", "-f"]).stdout.strip())
    if not device.exists():
        number = int(device.name.removeprefix("loop"))
        os.mknod(device, stat.S_IFBLK | 0o600, os.makedev(_LOOP_MAJOR, number))
