"""The login shell of a simulated node: it understands the lines that the pipeline's connection sends, no others."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from cri_switch.rehearsal.filesystem import FsError
from cri_switch.rehearsal.programs import PROGRAMS, cni
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, failed, said
from cri_switch.rehearsal.sudoers import REFUSED, rules
from cri_switch.rehearsal.timings import seconds_of
from cri_switch.rehearsal.unit_state import JobEnd

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.S)
_PREFIXES = ("ionice", "nice")


def run_line(machine: Machine, line: str, stdin: bytes = b"") -> Reply:
    """`LC_ALL=C sudo -n [VAR=value...] -- PROGRAM ...`, `LC_ALL=C [VAR=...] PROGRAM ...`, `LC_ALL=C sudo -n -l`."""
    words = shlex.split(line)
    env, words = _variables(words)
    root = words[:2] == ["sudo", "-n"]
    given: dict[str, str] = {}
    if root:
        given, words = _variables(words[2:])
        words = words[1:] if words[:1] == ["--"] else words
    if root and words == ["-l"]:
        return listing(machine)
    if not words:
        return _unknown(machine, line, "no program")
    call = Call(machine, tuple(words), stdin, {**env, **given}, root)
    return run(call, asked=bool(given))


def listing(machine: Machine) -> Reply:
    """`sudo -n -l`."""
    found = re.findall(r"^\S+ (ALL=\(root\) NOPASSWD:.*)$", machine.fs.text("/etc/sudoers.d/cri-switch") or "", re.M)
    if not found:
        return failed(REFUSED)
    lines = [f"    {line.removeprefix('ALL=')}" for line in found]
    return said("User ops may run the following commands on this host:\n" + "".join(f"{one}\n" for one in lines))


def run(call: Call, *, asked: bool = False) -> Reply:
    """One program; `asked`: sudo was given variables. What is not known is complained of."""
    machine, program = call.machine, call.argv[0]
    with machine.lock:
        machine.systemd.settle()
        if not machine.up:  # a job took it down
            return Reply(drop=True)
        there = _there(machine, program)
        if call.root:
            if not there or not rules(machine.fs.text("/etc/sudoers.d/cri-switch") or "").allow(
                program, variables=asked
            ):
                return failed(REFUSED)
        elif not there:
            return failed(f"bash: line 1: {program}: command not found", 127)
        fault = machine.fault_hook(call.argv)
        seconds = seconds_of(machine, call.argv)
    if fault is not None:
        if fault.after:
            execute(call)
        if fault.reboot:
            machine.reboot()
        return replace(failed(fault.stderr, fault.rc), hang=fault.hang, drop=fault.drop or fault.reboot)
    machine.world.clock.sleep(seconds)
    return execute(call)


def execute(call: Call) -> Reply:
    """The program's effect and answer, now."""
    program = call.argv[0]
    with call.machine.lock:
        call.machine.kubelet.idle_until = 0.0
        try:
            if program.startswith("/"):
                return cni.plugin(call)
            found = PROGRAMS.get(program)
            if found is None:
                return _unknown(call.machine, shlex.join(call.argv), "unknown program")
            return found(call)
        except FsError as problem:
            return failed(f"{program}: {problem.path}: {problem.words}")
        except UnknownUse as problem:
            return _unknown(call.machine, shlex.join(call.argv), str(problem))


def run_job(machine: Machine, argv: tuple[str, ...], env: tuple[tuple[str, str], ...]) -> JobEnd:
    """A transient unit's program at its end. A connection that is cut is nothing to it; one that hangs ends later."""
    words = list(argv)
    while words and posixpath.basename(words[0]) in _PREFIXES:
        words = words[1:]
        while words and words[0].startswith("-"):
            words = words[1:]
    fault = machine.fault_hook(tuple(words))
    reply = Reply()
    if fault is None or fault.after or fault.drop:
        reply = execute(Call(machine, tuple(words), b"", dict(env), True))
    if fault is not None and fault.reboot:
        machine.reboot()
    if fault is None or fault.drop:
        return JobEnd(reply.rc, reply.out.decode("utf-8", "replace") + reply.err)
    return JobEnd(fault.rc, fault.stderr, fault.hang)


def _there(machine: Machine, program: str) -> bool:
    if program.startswith("/"):
        return machine.fs.exists(program)
    return machine.has_program(program)


def _variables(words: list[str]) -> tuple[dict[str, str], list[str]]:
    found = {}
    while words and (match := _VARIABLE.fullmatch(words[0])):
        found[match[1]] = match[2]
        words = words[1:]
    return found, words


def _unknown(machine: Machine, line: str, why: str) -> Reply:
    machine.world.complain(f"{machine.name}: the rehearsal does not know: {line} ({why})")
    return failed(f"rehearsal: not known: {line} ({why})", 126)
