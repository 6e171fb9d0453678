"""How long commands take, in seconds of the simulated world (research/node.md's table)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

_APT = {"update": 0.3, "install": 2.5, "remove": 0.8}
_SECONDS = (
    ("systemctl", "stop", 0.1),
    ("systemctl", "start", 0.2),
    ("systemctl", "restart", 0.3),
    ("systemctl", "mask", 0.1),
    ("systemctl", "unmask", 0.1),
    ("systemctl", "enable", 0.1),
    ("docker", "save", 3.0),
    ("ctr", "import", 4.0),
    ("crictl", "rmp", 0.7),
)
_SAID = 0.03
"""Any command by ssh and sudo; over real sockets it takes its own time."""


def seconds_of(machine: Machine, argv: tuple[str, ...]) -> float:
    """Before its effect is there."""
    program, words = argv[0], set(argv)
    if program == "docker" and "stop" in words:
        return _docker_stop(machine, argv)
    if program == "apt-get":
        return _apt(argv) + (machine.package_seconds if "-s" not in argv else 0.0)
    if program == "sleep":
        return float(argv[1])
    for name, word, seconds in _SECONDS:
        if program == name and word in words:
            return seconds
    if program.startswith("/"):  # a CNI plugin
        return 0.15
    return 0.0 if machine.world.clock.runs else _SAID


def _apt(argv: tuple[str, ...]) -> float:
    if "-s" in argv:
        return 0.0
    if "--download-only" in argv:
        return 1.0
    return next((_APT[word] for word in argv if word in _APT), 0.5)


def _docker_stop(machine: Machine, argv: tuple[str, ...]) -> float:
    """As long as the slowest: a program that obeys SIGTERM 0.3 s, kube-apiserver 3.1 s, 10 s where etcd went first."""
    grace = float(argv[argv.index("-t") + 1]) if "-t" in argv else 10.0
    slowest = 0.0
    etcd = any(box.name == "etcd" and box.running and box.id not in argv for box in machine.docker.boxes.values())
    for identity in argv[2:]:
        box = machine.docker.boxes.get(identity)
        if box is None or not box.running:
            continue
        seconds = 0.3
        if box.name == "kube-apiserver":
            seconds = 3.1 if etcd else 10.0
        elif box.pod is not None and box.pod.stubborn:
            seconds = grace
        slowest = max(slowest, min(seconds, grace))
    return slowest
