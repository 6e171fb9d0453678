"""systemd-run and journalctl."""

from __future__ import annotations

from cri_switch.rehearsal.programs.units import full_name
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, said
from cri_switch.rehearsal.timings import seconds_of

_NICE = ("ionice", "nice")

_CURSOR = f"s={0:032x};i="


def systemd_run(call: Call) -> Reply:
    """`systemd-run --unit=NAME --description=X --remain-after-exit --setenv=K=V... -- ARGV`."""
    unit, env, args = "", {}, call.args
    while args and args[0] != "--":
        name, _, value = args[0].partition("=")
        if name == "--unit":
            unit = value
        elif name == "--setenv":
            env[value.partition("=")[0]] = value.partition("=")[2]
        elif name not in ("--description", "--remain-after-exit"):
            raise UnknownUse(f"systemd-run {name}")
        args = args[1:]
    argv = tuple(args[1:])
    if not unit or not argv:
        raise UnknownUse("systemd-run")
    inner = list(argv)
    while inner and (inner[0] in _NICE or inner[0].startswith("-")):
        inner = inner[1:]
    rc, err = call.machine.systemd.run_transient(full_name(unit), argv, env, seconds_of(call.machine, tuple(inner)))
    return Reply(rc, b"", f"{err}\n")


def journalctl(call: Call) -> Reply:
    """`journalctl -u UNIT... -n N [-o cat] [--no-pager] [--show-cursor] [--after-cursor C]`."""
    units, last, form, after_cursor, show = [], None, "short", 0, False
    words = iter(call.args)
    for word in words:
        match word:
            case "-u":
                units.append(full_name(next(words)))
            case "-n":
                last = int(next(words))
            case "-o":
                form = next(words)
            case "--after-cursor":
                after_cursor = int(next(words).removeprefix(_CURSOR))
            case "--show-cursor":
                show = True
            case "--no-pager" | "-q":
                pass
            case _:
                raise UnknownUse(f"journalctl {word}")
    journal = call.machine.journal
    lines = journal.select(units, after=after_cursor, last=last)
    text = "".join(f"{line.text if form == 'cat' else journal.short(line)}\n" for line in lines)
    if not lines and form != "cat":
        text = "-- No entries --\n"
    if show and (lines or after_cursor):
        text += f"-- cursor: {_CURSOR}{lines[-1].cursor if lines else after_cursor}\n"
    return said(text)
