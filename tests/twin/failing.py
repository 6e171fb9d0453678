"""A failing variant of every command of the list: what it names is not there, what it needs does not run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cri_switch.node.command import Command
from tests.twin.shape import shape as shape_of
from tests.twin.shape import use

NOWHERE, NOBODY, NOT_A_FOLDER = "/nowhere/to/be/found", "f" * 64, "/etc/hostname/below"
UNIT, PACKAGE = "cri-switch-nowhere.service", "nosuchpackage"
MASKED = "cri-switch-masked.service"
"""Masking one that is not there succeeds, so that afterwards it is there: not the one that the others name."""
_FILES = (
    "cat", "stat", "sha256sum", "chmod", "chown", "cp", "mv", "install", "dd", "find", "grep", "ls", "df", "umount",
    "mkdir",
)  # fmt: skip
_BELOW_A_FILE = ("mkdir", "install", "dd")
_ID = re.compile(r"^(sha256:)?[0-9a-f]{12,64}$")
STANDING = "cri-switch-twin.service"
"""A transient unit that has been started already."""
NO_FAILURE = {
    "date +%s.%N": "it looks at the clock",
    "ss -x -n": "it lists what is there",
    "apt-mark showhold": "it lists what is there",
    "apt-mark showmanual": "it lists what is there",
    "dpkg-query -W -f ${Package}\\t${db:Status-Abbrev}\\t${Version}\\n": "it lists what is there",
    "sleep N": "it sleeps",
    "true": "it is the command that does nothing",
    "sudo -n -l": "it is tried with the rule hidden",
    "sudo iptables-save": "it lists what is there; it is tried with the rule hidden",
    "sudo ip6tables-save": "it lists what is there; it is tried with the rule hidden",
    "sudo rm -rf --one-file-system -- PATH": "it takes what is not there as done; it is tried with the rule hidden",
    "sudo rm -f -- PATH": "the same",
    "sudo readlink -f -- PATH": "it resolves what is not there too; it is tried with the rule hidden",
    "containerd --version": "it is there or not: docker is tried where it is gone",
    "crictl --version": "the same",
    "ctr --version": "the same",
}
"""Commands that nothing on a node makes fail, and why."""

EXITS_ZERO = {
    "apt-cache policy nosuchpackage": "it says nothing of a package that apt does not know",
    "sudo deb-systemd-helper unmask JOB": "what is not masked is as it should be",
    "sudo journalctl -u JOB -n N -o cat --no-pager": "it lists what is there: nothing",
    "sudo systemctl mask JOB": "it masks what is not there too; the answer says so",
    "sudo systemctl unmask JOB": "it takes what is not there as done; the answer says so",
    "systemctl list-units --all --full --no-legend --no-pager JOB": "it lists what is there: nothing",
    "systemctl show --no-pager -p Id,LoadState,ActiveState,SubState,UnitFileState,FragmentPath,MainPID,"
    "ExecMainStartTimestamp,ActiveEnterTimestamp,Result,ExecMainStatus,NRestarts -- JOB": "it says not-found",
    "systemctl show -p ExecMainStartTimestamp JOB": "it answers with an empty value",
}
"""Failing variants, by their own shape, that exit with 0 all the same, and why: their answer is what fails.

Those that are run by sudo fail in their exit code too, while its rule is hidden.
"""


@dataclass(frozen=True)
class Variant:
    """`state`: the node it is run on, `docker` before its migration or `containerd` after it."""

    shape: str
    command: Command
    state: str = "docker"


def variant(shape: str, argv: Sequence[str], *, sudo: bool) -> Variant | None:
    """The command with operands of the same kind that are not there; None where nothing fails it."""
    if shape in NO_FAILURE:
        return None
    program, rest = argv[0], list(argv[1:])
    state, stdin = "docker", None
    if program in ("crictl", "ctr"):
        state = "containerd"
    if "CNI-PLUGIN" in shape:
        rest, stdin = [], b"not json"
    elif program in ("crictl", "docker", "ctr") and any(_ID.match(word) for word in rest):
        rest = [NOBODY if _ID.match(word) else word for word in rest]
    elif program == "crictl":
        rest = ["--runtime-endpoint", "unix:///run/nowhere.sock", *rest[2 * (rest[:1] == ["--runtime-endpoint"]) :]]
    elif program in ("docker", "ctr"):
        return Variant(
            shape, _made(argv, sudo), state="stopped docker" if program == "docker" else "stopped containerd"
        )
    elif program == "containerd":
        stdin = b"version = [\n"
    elif program in _FILES:
        rest = _elsewhere(program, rest)
    elif program == "systemctl":
        rest = _units(rest)
    elif program in ("apt-cache", "apt-get", "apt-mark", "dpkg-query"):
        rest = [PACKAGE if number and _word(word) == "PACKAGE" else word for number, word in enumerate(rest)]
        rest = [word for number, word in enumerate(rest) if word != PACKAGE or PACKAGE not in rest[:number]]
    elif program in ("iptables", "ip6tables"):
        rest = _rule(rest)
    elif program == "systemd-run":
        rest = [f"--unit={STANDING}", *rest[1 : rest.index("--") + 1], "true"]
    else:
        found = _SPECIAL.get(program)
        if found is None:
            return None
        rest = list(found)
    return Variant(shape, _made([program, *rest], sudo, stdin), state)


_SPECIAL: dict[str, tuple[str, ...]] = {
    "curl": ("-sk", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "https://127.0.0.1:1/readyz"),
    "ip": ("link", "delete", "nowhere0"),
    "kill": ("-KILL", "4194303"),
    "modprobe": ("-a", "nosuchmodule"),
    "pgrep": ("-a", "nosuchprogram"),
    "ping": ("-c", "1", "-W", "2", "10.77.0.250"),
    "sysctl": ("-p", NOWHERE),
    "tar": ("-C", "/", "-c", "--", NOWHERE.lstrip("/")),
    "journalctl": ("-u", UNIT, "-n", "30", "-o", "cat", "--no-pager"),
    "deb-systemd-helper": ("unmask", UNIT),
}


def _made(argv: Sequence[str], sudo: bool, stdin: bytes | None = None) -> Command:
    env: tuple[tuple[str, str], ...] = ()
    if argv[0] == "deb-systemd-helper":
        env = (("DPKG_MAINTSCRIPT_PACKAGE", "docker.io"),)
    elif argv[0].startswith("/"):
        env = (("CNI_COMMAND", "DEL"),)
    return Command(tuple(argv), sudo=sudo, stdin=stdin, env=env, ok=frozenset(range(256)))


def _word(word: str) -> str:
    return shape_of(["x", word]).removeprefix("x ")


def _elsewhere(program: str, rest: Sequence[str]) -> list[str]:
    there = NOT_A_FOLDER if program in _BELOW_A_FILE else NOWHERE
    out: list[str] = []
    for word in rest:
        if word in ("/dev/null", "if=/dev/null") or not word.lstrip("-").startswith(("/", "of=/", "reference=/")):
            out.append(word)
        else:
            out.append(re.sub(r"^(--reference=|of=)?/.*$", rf"\g<1>{there}", word))
    pattern = out.index("-path") + 1 if "-path" in out else -1
    if pattern > 0:
        out[pattern] = rest[pattern]
    keep = 2 if program in ("cp", "mv") else 1
    return [word for number, word in enumerate(out) if word != there or out[:number].count(there) < keep]


def _units(rest: Sequence[str]) -> list[str]:
    if rest[0] == "daemon-reload":
        return ["start", UNIT]
    named = [word for word in rest if word.endswith((".service", ".socket")) or word == "kubelet"]
    return [*(word for word in rest if word not in named), MASKED if rest[0] in ("mask", "unmask") else UNIT]


def _rule(rest: Sequence[str]) -> list[str]:
    words = list(rest)
    verb = next(word for word in words if word in ("-P", "-D", "-F", "-X"))
    at = words.index(verb)
    if verb == "-D":
        return [*words[: at + 2], "-s", "192.0.2.7/32", "-j", "ACCEPT"]
    return [*words[: at + 1], "NOWHERE", *words[at + 2 :]]


def variants_of(commands: Mapping[str, Mapping[str, Any]]) -> list[Variant]:
    """One failing variant for every use in the list; those that come to the same are one."""
    every = [variant(shape, argv, sudo=each["sudo"]) for shape, each in commands.items() for argv in each["argv"]]
    return list({(name(one.command), one.state): one for one in every if one is not None}.values())


def name(command: Command) -> str:
    """A variant as it is compared."""
    return ("sudo " if command.sudo else "") + use(command.argv)
