"""Which process of which machine: so that one that has died here is known to be dead."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_PROC = Path("/proc")


def this_process(proc: Path = _PROC) -> str:
    """`host:boot:pid namespace:pid:start`, start in ticks since the boot; without /proc only the host's name."""
    pid = os.getpid()
    try:
        return ":".join([socket.gethostname(), *_machine(proc), str(pid), _started(proc, pid)])
    except OSError:
        return socket.gethostname()


def surely_dead(identity: str, proc: Path = _PROC) -> bool:
    """Whether that process was one of this boot and pid namespace and has ended; False where it cannot be told."""
    parts = identity.split(":")
    if len(parts) != 5 or not parts[3].isdigit():
        return False
    try:
        if tuple(parts[1:3]) != _machine(proc):
            return False
    except OSError:
        return False
    try:
        return _started(proc, int(parts[3])) != parts[4]
    except FileNotFoundError:
        return not _exists(int(parts[3]))  # /proc may be mounted with hidepid: others' processes are not in it
    except OSError:
        return False


def _exists(pid: int) -> bool:
    """kill(2) with signal 0 sends none; EPERM is a process of somebody else."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _machine(proc: Path) -> tuple[str, str]:
    boot = (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    namespace = str((proc / "self/ns/pid").readlink()).partition("[")[2].rstrip("]")
    return boot.partition("-")[0], namespace


def _started(proc: Path, pid: int) -> str:
    """proc(5): field 22 of stat; the second, in parentheses, may have blanks. "" for a zombie, which has ended."""
    fields = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    if fields[0] in ("Z", "X"):
        return ""
    return fields[19]
