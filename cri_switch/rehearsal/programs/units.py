"""systemctl."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, after, failed, said

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

_UNKNOWN = "Unit {unit} does not exist, proceeding anyway.\n"


def systemctl(call: Call) -> Reply:
    """`systemctl VERB [--] UNIT...`."""
    if not call.args:
        raise UnknownUse("systemctl")
    verb, rest = call.args[0], [word for word in call.args[1:] if word not in ("--", "--no-pager", "--now")]
    if verb in ("show", "list-units"):
        return _show(call.machine, rest) if verb == "show" else _list(call.machine, call.args[1:])
    if verb == "cat":
        return _cat(call.machine, full_name(rest[0]))
    if verb == "daemon-reload":
        return Reply()
    change = _CHANGES.get(verb)
    if change is None or any(word.startswith("-") for word in rest) or "--now" in call.args:
        raise UnknownUse(f"systemctl {verb}")
    told = ""
    for unit in rest:
        rc, err = change(call.machine, full_name(unit))
        if rc:
            return failed(err, rc)
        told += err
    return Reply(0, b"", told)


def full_name(unit: str) -> str:
    """`docker` is `docker.service`."""
    return unit if "." in unit else f"{unit}.service"


def _start(machine: Machine, unit: str) -> tuple[int, str]:
    return machine.systemd.start(unit)


def _stop(machine: Machine, unit: str) -> tuple[int, str]:
    return machine.systemd.stop(unit)


def _restart(machine: Machine, unit: str) -> tuple[int, str]:
    machine.systemd.stop(unit)
    return machine.systemd.start(unit)


def _enable(machine: Machine, unit: str) -> tuple[int, str]:
    if machine.systemd.files.masked(unit):
        return 1, f"Failed to enable unit: Unit file /etc/systemd/system/{unit} is masked."
    if not machine.systemd.files.fragment(unit):
        return 1, f"Failed to enable unit: Unit file {unit} does not exist."
    return 0, "".join(f"Created symlink {link} -> {to}.\n" for link, to in machine.systemd.files.enable(unit))


def _disable(machine: Machine, unit: str) -> tuple[int, str]:
    if not machine.systemd.files.fragment(unit):
        return 1, f"Failed to disable unit: Unit file {unit} does not exist."
    return 0, "".join(f"Removed {link}.\n" for link in machine.systemd.files.disable(unit))


def _mask(machine: Machine, unit: str) -> tuple[int, str]:
    if machine.systemd.files.masked(unit):
        return 0, ""
    unknown = "" if machine.systemd.exists(unit) else _UNKNOWN.format(unit=unit)
    if machine.systemd.files.mask(unit):
        return 0, f"{unknown}Created symlink /etc/systemd/system/{unit} -> /dev/null.\n"
    return 1, f"Failed to mask unit: File /etc/systemd/system/{unit} already exists."


def _unmask(machine: Machine, unit: str) -> tuple[int, str]:
    if machine.systemd.files.unmask(unit):
        return 0, f"Removed /etc/systemd/system/{unit}.\n"
    return 0, "" if machine.systemd.exists(unit) else _UNKNOWN.format(unit=unit)


def _reset(machine: Machine, unit: str) -> tuple[int, str]:
    return machine.systemd.reset_failed(unit)


_CHANGES: dict[str, Callable[[Machine, str], tuple[int, str]]] = {
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "enable": _enable,
    "disable": _disable,
    "mask": _mask,
    "unmask": _unmask,
    "reset-failed": _reset,
}


def _show(machine: Machine, args: list[str]) -> Reply:
    wanted, *units = after(args, "-p")
    names = wanted.split(",")
    blocks = []
    for unit in map(full_name, units):
        values = _values(machine, unit)
        unknown = [name for name in names if name not in values]
        if unknown:
            raise UnknownUse(f"systemctl show -p {unknown[0]}")
        blocks.append("".join(f"{name}={values[name]}\n" for name in names))
    return said("\n".join(blocks))


def _values(machine: Machine, unit: str) -> dict[str, str]:
    systemd = machine.systemd
    state, files = systemd.state(unit), systemd.files
    load = "masked" if files.masked(unit) else "loaded" if systemd.exists(unit) else "not-found"
    path = files.fragment(unit)
    if files.masked(unit):
        path = f"/etc/systemd/system/{unit}"
    if state.transient:
        path = f"/run/systemd/transient/{unit}"
    return {
        "Id": unit,
        "LoadState": load,
        "ActiveState": state.active,
        "SubState": _sub(machine, unit),
        "UnitFileState": "transient" if state.transient else files.state(unit),
        "FragmentPath": path,
        "MainPID": str(state.main_pid),
        "ExecMainStartTimestamp": systemd.stamp(state.started),
        "ActiveEnterTimestamp": systemd.stamp(state.entered),
        "Result": state.result,
        "ExecMainStatus": str(state.status),
        "NRestarts": str(state.restarts),
    }


def _list(machine: Machine, args: list[str]) -> Reply:
    """`list-units --all --full --no-legend --no-pager PATTERN`: what is loaded; a dot marks what failed."""
    *options, pattern = args
    if options != ["--all", "--full", "--no-legend", "--no-pager"]:
        raise UnknownUse(f"systemctl list-units {' '.join(options)}")
    found = [(unit, state) for unit, state in machine.systemd.states.items() if fnmatchcase(unit, pattern)]
    dots = {True: "\u25cf", False: " "}
    return said(
        "".join(
            f"{dots[state.active == 'failed']} {unit} loaded {state.active} {state.sub} cri-switch\n"
            for unit, state in sorted(found)
            if machine.systemd.exists(unit)
        )
    )


def _sub(machine: Machine, unit: str) -> str:
    """A socket is running, not listening, while its service is."""
    state = machine.systemd.state(unit)
    served = unit.endswith(".socket") and machine.systemd.active(unit.replace(".socket", ".service"))
    return "running" if served and state.sub == "listening" else state.sub


def _cat(machine: Machine, unit: str) -> Reply:
    files = machine.systemd.files.files(unit)
    if not files:
        return failed(f"No files found for {unit}.")
    return said("\n".join(f"# {path}\n{machine.fs.text(path) or ''}" for path in files))
