"""What on the host itself, not in a pod, uses Docker: units, cron jobs, open connections to the socket."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cri_switch.node.command import Result, plain, sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.texts import parse_grep

UNITS = (
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
    "/lib/systemd/system",
)  # fmt: skip
"""Where systemd looks for units that somebody wrote (systemd.unit(5)); what it makes itself calls nothing."""
CRON = (
    "/etc/crontab", "/etc/anacrontab", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly",
    "/etc/cron.monthly", "/var/spool/cron",
)  # fmt: skip
_OWN = re.compile(r"(?:^|/)(docker|dockerd|containerd|cri-docker|kubelet)\.(service|socket)(\.d/|$)")
"""Docker's own units, and the kubelet's, which are looked at on their own."""
_LINKED = re.compile(r"\.(wants|requires)/")
"""Links to units that lie elsewhere too."""
_COMMAND = re.compile(r"(?:^|[\s;&|(`\"'=@+!-])(?:/[\w./-]*/)?docker(?:-compose)?(?=[\s;&|)`\"']|$)|docker\.sock\b")
_SOCKET = re.compile(r"\bdocker\.sock\b")
_WORDS = re.compile(r"\s*(Description|Documentation|After|Before|Wants)\s*=")
_KEY = re.compile(r"\s*[A-Z]\w*\s*=")
_NEEDS = re.compile(r"\s*(Requires|BindsTo|Requisite|PartOf)\s*=.*\bdocker\.(service|socket)\b")


@dataclass(frozen=True)
class HostLine:
    """A line of a unit or cron file that uses Docker."""

    path: str
    line: str


def docker_lines(text: str) -> tuple[HostLine, ...]:
    """Those of `grep -H`'s lines that call docker or need its units; comments and mere words are passed over."""
    found, read = [], parse_grep(text)
    for path, content in read.items():
        twice = path.startswith("/usr/lib/") and read.get(path.removeprefix("/usr")) == content  # /lib leads there
        if twice or _OWN.search(path) or _LINKED.search(path):
            continue
        uses = _in_a_unit if path.startswith(UNITS) else _COMMAND.search
        found += [
            HostLine(path, line.strip())
            for line in content.splitlines()
            if not line.lstrip().startswith(("#", ";")) and uses(line)
        ]
    return tuple(found)


def _in_a_unit(line: str) -> bool:
    """A command (also where it goes on in a line without a key), Docker's socket in a setting, a need of its units."""
    if _WORDS.match(line):
        return False
    runs = bool(re.match(r"\s*Exec\w+\s*=", line)) or not _KEY.match(line)
    return bool(_NEEDS.match(line) or _SOCKET.search(line) or (runs and _COMMAND.search(line)))


HOST_DOCKER: Fact[tuple[HostLine, ...]] = Fact(
    "units and cron files that call docker",
    sudo("grep", "-R", "-s", "-I", "-H", "docker", "--", *UNITS, *CRON, ok=(0, 1, 2)),
    lambda result: docker_lines(result.stdout),
)
"""Programs that they call are not looked into. `-R` follows links: `systemctl link` and Nix make units of them."""


def _clients(result: Result) -> frozenset[str]:
    found = set()
    for line in result.stdout.splitlines():
        words = line.split()
        if len(words) >= 8 and words[4] in ("/run/docker.sock", "/var/run/docker.sock") and words[1] == "ESTAB":
            found.add(words[7])
    return frozenset(found - {"0"})


SOCKET_CLIENTS: Fact[frozenset[str]] = Fact(
    "open connections to Docker's socket", plain("ss", "-x", "-n", ok=(0, 1, 127, 255)), _clients
)
"""The clients' inodes."""


def processes_of(inodes: frozenset[str]) -> Fact[tuple[int, ...]]:
    """The processes that hold these sockets."""
    wanted = {f"socket:[{inode}]" for inode in inodes}

    def parse(result: Result) -> tuple[int, ...]:
        lines = (line.split() for line in result.stdout.splitlines())
        return tuple(sorted({int(words[0].split("/")[2]) for words in lines if len(words) == 2 and words[1] in wanted}))

    words = ("-maxdepth", "3", "-path", "/proc/[0-9]*/fd/*", "-lname", "socket:*", "-printf", "%p %l\\n")
    return Fact("who holds them", sudo("find", "/proc", *words, ok=(0, 1)), parse)


@dataclass(frozen=True)
class Process:
    """A process on the host; `pod` says that it is in a pod's cgroup."""

    pid: int
    name: str
    pod: bool


def processes(pids: tuple[int, ...]) -> Fact[tuple[Process, ...]]:
    """Their names; one that has gone is left out."""
    files = tuple(f"/proc/{pid}/{file}" for pid in pids for file in ("comm", "cgroup"))

    def parse(result: Result) -> tuple[Process, ...]:
        return tuple(_processes(parse_grep(result.stdout), pids))

    return Fact("processes", plain("grep", "-s", "-a", "-H", "", "--", *files, ok=(0, 1, 2)), parse)


def _processes(read: Mapping[str, str], pids: tuple[int, ...]) -> list[Process]:
    found = []
    for pid in pids:
        name = read.get(f"/proc/{pid}/comm", "").strip()
        cgroup = read.get(f"/proc/{pid}/cgroup", "")
        if name:
            found.append(Process(pid, posixpath.basename(name), "kubepods" in cgroup or "/docker/" in cgroup))
    return found
