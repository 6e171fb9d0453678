"""true, sleep, date, pgrep, kill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, after, said

if TYPE_CHECKING:
    from cri_switch.rehearsal.box import Box
    from cri_switch.rehearsal.machine import Machine


def true(_call: Call) -> Reply:
    """`true`."""
    return Reply()


def sleep(call: Call) -> Reply:
    """`sleep SECONDS`: its time is taken before (timings)."""
    float(call.args[0])
    return Reply()


def date(call: Call) -> Reply:
    """`date +%s.%N`: the pipeline's own time and the node's skew, as the world's runs faster than the pipeline's."""
    if call.args != ["+%s.%N"]:
        raise UnknownUse("date")
    return said(f"{call.machine.world.clock.wall() + call.machine.clock_skew:.9f}\n")


def pgrep(call: Call) -> Reply:
    """`pgrep -a NAME` (the first 15 characters of a process's name count), `pgrep -P PID,PID...`."""
    if call.args[:1] == ["-P"]:
        parents = {int(pid) for pid in call.args[1].split(",")}
        children = [box.pid for box in _boxes(call.machine) if box.running and _shim(call.machine, box) in parents]
        return said("".join(f"{pid}\n" for pid in children), int(not children))
    (name,) = after(call.args, "-a")
    found = [
        process
        for process in call.machine.processes.all.values()
        if process.argv and name[:15] in process.argv[0].rpartition("/")[2][:15]
    ]
    return said("".join(f"{one.pid} {' '.join(one.argv)}\n" for one in found), int(not found))


def kill(call: Call) -> Reply:
    """`kill -KILL PID...`: of containers and their shims."""
    err, pids = "", [int(word) for word in after(call.args, "-KILL")]
    for pid in pids:
        if pid not in call.machine.processes.all:
            err += f"kill: ({pid}): No such process\n"
        for box in _boxes(call.machine):
            if box.running and box.pid == pid:
                box.state, box.exit_code, box.finished, box.pid = "exited", 137, call.machine.now(), 0
            if box.shim == pid:
                box.shim = 0
        call.machine.processes.end(pid)
    return Reply(1 if err else 0, b"", err)


def _boxes(machine: Machine) -> list[Box]:
    return [*machine.docker.boxes.values(), *machine.containerd.boxes.values()]


def _shim(machine: Machine, box: Box) -> int:
    """Docker has one for each container, the CRI one for each sandbox."""
    sandbox = machine.containerd.boxes.get(box.sandbox_id)
    return box.shim or (sandbox.shim if sandbox is not None else 0)
