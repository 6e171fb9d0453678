"""The command `python -m tests.lab`: a real kubeadm cluster on this machine, see README.md beside this file."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from tests import lab_support
from tests.lab import faults, machine, network, snapshots, state, teardown
from tests.lab.report import LabError, say, step
from tests.lab.topology import check_name
from tests.lab.up import Wish, up


def main() -> int:
    options = _parser().parse_args()
    if os.geteuid() != 0 and options.run is not _check:
        print("lab: it needs root: it makes machines", file=sys.stderr)
        return 1
    try:
        options.run(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def _up(options: argparse.Namespace) -> None:
    wish = Wish(
        check_name(options.name),
        options.control_planes,
        options.workers,
        options.debian,
        options.cgroup_driver,
        options.workload,
        options.for_pid,
        dict(options.debian_of),
    )
    directory = up(wish)
    say("ready")
    print(directory)


def _exec(options: argparse.Namespace) -> None:
    lab = state.load(options.name)
    environment = os.environ | {
        "KUBECONFIG": str(lab.directory / "admin.conf"),
        "PATH": f"{lab.directory / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "CRI_SWITCH_LAB": str(lab.directory),
    }
    _become([*network.inside(lab.name), *_command(options)], environment)


def _ssh(options: argparse.Namespace) -> None:
    lab = state.load(options.name)
    lab.machine(options.node)
    config = ["-F", str(lab.directory / "ssh_config")]
    _become([*network.inside(lab.name), "ssh", *config, options.node, *options.command], dict(os.environ))


def _root(options: argparse.Namespace) -> None:
    target = state.load(options.name).machine(options.node)
    terminal = {"TERM": os.environ["TERM"]} if "TERM" in os.environ else {}
    _become(machine.command(target, _command(options)), machine.environment() | terminal)


def _reboot(options: argparse.Namespace) -> None:
    lab = state.load(options.name)
    target = lab.machine(options.node)
    with step(f"{options.node}: rebooted"):
        machine.stop(target, options.grace)
        machine.boot(lab, target)


def _kill(options: argparse.Namespace) -> None:
    machine.kill(state.load(options.name).machine(options.node))


def _start(options: argparse.Namespace) -> None:
    lab = state.load(options.name)
    target = lab.machine(options.node)
    if target.alive:
        raise LabError(f"{options.node} is running")
    with step(f"{options.node}: started"):
        machine.boot(lab, target)


def _cut(options: argparse.Namespace) -> None:
    lab = state.load(options.name)
    faults.cut(lab, lab.machine(options.node), options.seconds)


def _mend(options: argparse.Namespace) -> None:
    lab = state.load(options.name)
    faults.mend(lab, lab.machine(options.node))


def _fill(options: argparse.Namespace) -> None:
    faults.fill(state.load(options.name).machine(options.node), options.leave)


def _unfill(options: argparse.Namespace) -> None:
    faults.unfill(state.load(options.name).machine(options.node))


def _repo(options: argparse.Namespace) -> None:
    faults.repository(state.load(options.name), options.mode)


def _snapshot(options: argparse.Namespace) -> None:
    snapshots.snapshot(state.load(options.name))


def _restore(options: argparse.Namespace) -> None:
    snapshots.restore(state.load(options.name))


def _check(_: argparse.Namespace) -> None:
    if reason := lab_support.why_not():
        raise LabError(reason)
    print("the lab can run here")


def _status(options: argparse.Namespace) -> None:
    labs = [state.load(options.name)] if options.name else state.every()
    for lab in labs:
        print(f"{lab.name}  {lab.phase}  debian {lab.debian}  {lab.cgroup_driver}  {lab.directory}")
        for each in lab.machines.values():
            running = f"pid {each.leader.pid}" if each.leader and each.leader.alive else "not running"
            print(f"  {each.spec.name:10} {each.spec.address:12} {each.spec.docker or 'server':14} {running}")


def _down(options: argparse.Namespace) -> None:
    with state.exclusive():
        teardown.down(state.load(options.name))


def _gc(_: argparse.Namespace) -> None:
    with state.exclusive():
        teardown.collect()


def _debian_of(text: str) -> tuple[str, int]:
    node, _, release = text.partition("=")
    if release not in ("11", "12"):
        raise argparse.ArgumentTypeError("NODE=11 or NODE=12")
    return node, int(release)


def _command(options: argparse.Namespace) -> list[str]:
    command: list[str] = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise LabError("no command given (after --)")
    return command


def _become(argv: list[str], environment: dict[str, str]) -> NoReturn:
    """Be that program: signals, stdin, stdout and the exit code are its own."""
    sys.stdout.flush()
    os.execvpe(argv[0], argv, environment)  # noqa: S606 - a shell is not wanted


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def named(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        add = commands.add_parser(name, help=text)
        add.add_argument("--name", required=True)
        add.set_defaults(run=run)
        return add

    add = commands.add_parser("up", help="build a lab; the last line on stdout is its directory")
    add.add_argument("--name", required=True)
    add.add_argument("--control-planes", type=int, default=1)
    add.add_argument("--workers", type=int, default=2)
    add.add_argument("--debian", type=int, default=11, choices=(11, 12))
    add.add_argument(
        "--debian-of", type=_debian_of, action="append", default=[], metavar="NODE=11|12", help="one node's, repeatable"
    )
    add.add_argument("--cgroup-driver", default="cgroupfs", choices=("cgroupfs", "systemd"))
    add.add_argument("--workload", action=argparse.BooleanOptionalAction, default=True)
    add.add_argument("--for-pid", type=int, metavar="PID", help="the lab is garbage once this process is gone")
    add.set_defaults(run=_up)

    add = named("exec", _exec, "run a command in the lab's network, as the cluster's admin")
    add.add_argument("command", nargs=argparse.REMAINDER)

    for name, run, text in (
        ("ssh", _ssh, "ssh to a machine as ops"),
        ("root", _root, "run a command as root inside a machine, not over ssh"),
    ):
        add = named(name, run, text)
        add.add_argument("node")
        add.add_argument("command", nargs=argparse.REMAINDER)

    add = named("reboot", _reboot, "power a machine off and boot it again")
    add.add_argument("--grace", type=float, default=5, help="seconds until the power is cut (default 5)")
    add.add_argument("node")

    named("kill", _kill, "cut a machine's power").add_argument("node")
    named("start", _start, "boot a machine that is off").add_argument("node")

    add = named("cut", _cut, "take a machine's network away")
    add.add_argument("--seconds", type=float, help="give it back after so long (default: `mend` does)")
    add.add_argument("node")
    named("mend", _mend, "give a machine's network back").add_argument("node")

    add = named("fill", _fill, "fill a machine's disk")
    add.add_argument("--leave", type=int, default=0, metavar="MB", help="how much to leave (default 0)")
    add.add_argument("node")
    named("unfill", _unfill, "undo `fill`").add_argument("node")

    add = named("repo", _repo, "let the package repository serve, fail or hang")
    add.add_argument("mode", choices=("ok", "fail", "hang"))

    named("snapshot", _snapshot, "keep the cluster as it is now")
    named("restore", _restore, "bring the cluster back as it was kept; ends when all of it serves again")
    named("down", _down, "take a lab away")

    add = commands.add_parser("status", help="the labs and their machines")
    add.add_argument("--name")
    add.set_defaults(run=_status)

    add = commands.add_parser("gc", help="take away what killed runs left")
    add.set_defaults(run=_gc)

    add = commands.add_parser("check", help="can the lab run here? exit code 1 and why not, in one line")
    add.set_defaults(run=_check)
    return parser


if __name__ == "__main__":
    sys.exit(main())
