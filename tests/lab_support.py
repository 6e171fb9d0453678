"""`python -m tests.lab_support`: can the lab run here? Exit code 0, or 1 and why not, in one line on stdout."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

_CONTROLLERS = ("cpu", "cpuset", "memory", "pids", "devices")
_GIB_NEEDED = 20


def why_not() -> str:
    """What is missing for the lab, or ""."""
    if not sys.platform.startswith("linux"):
        return f"it needs Linux, this is {sys.platform}"
    if os.geteuid() != 0:
        return "it needs root"
    if not shutil.which("apt-get"):
        return "it needs Debian's apt-get"
    missing = [name for name in _CONTROLLERS if not Path("/sys/fs/cgroup", name, "tasks").exists()]
    if missing:
        return f"it needs cgroup v1 controllers at /sys/fs/cgroup: no {', '.join(missing)}"
    filesystems = Path("/proc/filesystems").read_text(encoding="ascii").split()
    if "overlay" not in filesystems and not shutil.which("modprobe"):
        return "it needs overlayfs in the kernel"
    if not _has_capability(21):
        return "it needs CAP_SYS_ADMIN"
    free = shutil.disk_usage(Path.home()).free // 2**30
    if free < _GIB_NEEDED:
        return f"it needs {_GIB_NEEDED} GB of disk, {free} are free"
    return ""


def _has_capability(number: int) -> bool:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    effective = next(line for line in lines if line.startswith("CapEff:")).split()[1]
    return bool(int(effective, 16) >> number & 1)


def main() -> int:
    reason = why_not()
    print(reason or "the lab can run here")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
