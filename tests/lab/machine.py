"""A machine: a root directory booted by systemd-nspawn in the lab's network, entered as root with nsenter."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import IO

from tests.lab import cgroups, network
from tests.lab.process import Process, run, wait_for
from tests.lab.report import LabError
from tests.lab.state import Lab, MachineState
from tests.lab.topology import machine_id

# Puts itself into every cgroup given before "--", then becomes the rest: nspawn starts its cgroup namespace there.
_INTO_CGROUPS = """while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@" """
_NSPAWN_ENVIRONMENT = {
    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "0",
    "SYSTEMD_NSPAWN_LOCK": "0",
    "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "1",  # the kubelet writes /proc/sys
}
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
}
_POWEROFF_SECONDS = 5.0


def boot(lab: Lab, machine: MachineState) -> None:
    """Start it and wait until its systemd has reached its target."""
    identity = machine_id(lab.name, machine.spec.name)
    cgroups.create(machine.cgroups)
    nspawn = [
        "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "-M", identity, "-D", str(machine.root),
        f"--hostname={machine.spec.name}", f"--network-bridge={lab.bridge}", "--capability=all", "--bind=/dev/kmsg",
        "--system-call-filter=add_key keyctl request_key bpf", "--resolv-conf=off", "--timezone=off",
        "--link-journal=no", "--console=read-only",
    ]  # fmt: skip
    own = [str(path) for path in machine.cgroups]
    with (lab.directory / "machines" / f"{machine.spec.name}.console").open("ab") as console:
        started = subprocess.Popen(
            [*network.inside(lab.name), "sh", "-c", _INTO_CGROUPS, "sh", *own, "--", *nspawn],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            env=os.environ | _NSPAWN_ENVIRONMENT,
            start_new_session=True,
        )
    machine.nspawn, machine.leader = Process.of(started.pid), None
    lab.record(machine)
    wait_for(f"{identity} to have a PID 1", lambda: _find_leader(machine, started), 20, every=0.05)
    lab.record(machine)
    wait_for(f"{identity} to boot", lambda: _booted(machine), 60)


def command(machine: MachineState, argv: Sequence[str]) -> list[str]:
    """The argv that runs argv as root inside the machine."""
    if machine.leader is None or not machine.leader.alive:
        raise LabError(f"machine {machine.spec.name} is not running")
    target = ["--target", str(machine.leader.pid)]
    return [
        "nsenter",
        *target,
        "--mount",
        "--uts",
        "--ipc",
        "--net",
        "--pid",
        "--cgroup",
        "--root",
        "--wd",
        "--",
        *argv,
    ]


def environment() -> dict[str, str]:
    return dict(_ENVIRONMENT)


def execute(
    machine: MachineState,
    *argv: str,
    stdin: str | IO[bytes] | None = None,
    timeout: float = 300,
    check: bool = True,
) -> CompletedProcess[str]:
    """Run a program as root inside the machine."""
    return run(command(machine, argv), stdin=stdin, env=_ENVIRONMENT, timeout=timeout, check=check)


def write(machine: MachineState, path: str, content: str) -> None:
    """Write a file in a running machine through its own eyes, in one move, so that nobody reads half of it."""
    script = 'mkdir -p "${0%/*}" && cat > "${0%/*}/.${0##*/}.new" && mv "${0%/*}/.${0##*/}.new" "$0"'
    execute(machine, "sh", "-c", script, path, stdin=content)


def stop(machine: MachineState, grace: float = _POWEROFF_SECONDS) -> None:
    """Power it off; what is left after the grace dies with the machine's PID 1.

    Not with nspawn: killed, that one leaves its veth, and the next boot fails with "File exists".
    """
    nspawn = machine.nspawn
    if nspawn and nspawn.alive:
        os.kill(nspawn.pid, signal.SIGTERM)
        try:
            wait_for("poweroff", lambda: not nspawn.alive, grace, every=0.1)
        except LabError:
            kill(machine)
    cgroups.kill(machine.cgroups)


def kill(machine: MachineState) -> None:
    """Cut its power: no process of it sees anything coming."""
    nspawn, leader = machine.nspawn, machine.leader
    if leader and leader.alive:
        os.kill(leader.pid, signal.SIGKILL)

    def ended() -> bool:
        _continue_entrants(machine)
        return nspawn is None or not nspawn.alive

    wait_for(f"the end of {machine.spec.name}", ended, 60, every=0.1)
    cgroups.kill(machine.cgroups)


def _find_leader(machine: MachineState, nspawn: subprocess.Popen[bytes]) -> bool:
    """The child of nspawn that is PID 1 in a namespace of its own; while it starts, another child comes first."""
    if nspawn.poll() is not None:
        raise LabError(f"systemd-nspawn of {machine.spec.name} ended with exit code {nspawn.returncode}")
    children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split()
    for child in children:
        try:
            status = Path(f"/proc/{child}/status").read_text()
            name = Path(f"/proc/{child}/comm").read_text().strip()
        except OSError:
            continue
        inner = next(line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))
        if len(inner) > 1 and inner[-1] == "1" and name == "systemd":
            machine.leader = Process.of(int(child))
            machine.pid_namespace = Path(f"/proc/{child}/ns/pid").stat().st_ino
            return True
    return False


def _continue_entrants(machine: MachineState) -> None:
    """Wake the nsenter processes that wait for something in the machine.

    A machine that shuts down stops all its processes, an nsenter stops itself with its child, and then never
    collects it: the machine's PID 1 would wait for that for ever.
    """
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "ns/pid_for_children").stat().st_ino == machine.pid_namespace:
                os.kill(int(process.name), signal.SIGCONT)


def _booted(machine: MachineState) -> bool:
    state = execute(machine, "systemctl", "is-system-running", check=False).stdout.strip()
    return state in ("running", "degraded")
