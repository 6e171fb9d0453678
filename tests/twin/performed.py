"""Every flow on simulated clusters of many kinds, with every step failing once: all commands that were issued."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import CriSwitchError, NotProven, Stopped
from cri_switch.model.steps import STEPS
from cri_switch.node.action import perform
from cri_switch.node.actions.delete_docker_data import delete_docker_data
from cri_switch.node.actions.finish_jobs import finish_jobs
from cri_switch.node.command import Result, plain, sudo
from cri_switch.node.etcd_snapshot import snapshot
from cri_switch.node.follow import Follower
from cri_switch.node.job import job
from cri_switch.node.transfer import Download
from cri_switch.rehearsal.build import ClusterSpec
from cri_switch.rehearsal.connection import MemoryConnection
from cri_switch.rehearsal.machine import Machine
from cri_switch.rehearsal.node_fault import NodeFault, on_command
from cri_switch.rehearsal.release import DEBIAN_12
from tests.twin.like import LIKE_THE_LAB, like_the_lab
from tests.twin.rehearsed import Rehearsed
from tests.twin.tape import Heard, Tape

Upset = Callable[[Machine], None]


def _nothing(_machine: Machine) -> None:
    return None


@dataclass(frozen=True)
class Scene:
    """A cluster whose w1 is made special before or while a step of it fails; then the migration is run again."""

    name: str
    before: Upset = _nothing
    step: str = ""
    error: type[CriSwitchError] = NotProven
    upset: Upset = _nothing
    spec: ClusterSpec = LIKE_THE_LAB
    node: str = "w1"
    settings: dict[str, Any] = field(default_factory=dict)


def _root(machine: Machine, *argv: str) -> None:
    MemoryConnection(machine, Result, Download).run(sudo(*argv, ok=range(256)))


def _no_crictl(machine: Machine) -> None:
    machine.crictl = False
    machine.fs.remove("/usr/local/bin/crictl")


def _no_crictl_nor_cri(machine: Machine) -> None:
    """crictl is gone, and containerd does not answer: it is brought up with a minimal configuration, and ctr asked."""
    _no_crictl(machine)
    machine.systemd.stop("containerd.service")


def _mounts(machine: Machine) -> None:
    _no_crictl(machine)
    machine.kernel.mounts.add("/run/netns/cni-1")


def _no_directory(machine: Machine) -> None:
    """Nothing of containerd's is there before, and apt offers one that has certs.d."""
    machine.packages.offered["containerd"] = DEBIAN_12.offered["containerd"]
    machine.fs.put("/etc/docker/daemon.json", '{"registry-mirrors": ["http://10.77.0.2:5000"]}\n')


def _administrators(machine: Machine) -> None:
    """A configuration of a containerd that is yet to be installed: the purge on the way back takes it along."""
    machine.fs.put("/etc/containerd/config.toml", "version = 2\n", 0o640)


def _deaf_containers(machine: Machine) -> None:
    """They do not end by SIGTERM."""
    _no_crictl(machine)
    machine.fault_hook = on_command("tasks kill -s SIGTERM", NodeFault(rc=0, stderr=""), times=99)


def _forgotten_shims(machine: Machine) -> None:
    """containerd's own memory is lost; the shims live, one of them for longer than one waits."""
    machine.containerd.boxes.clear()
    machine.processes.start(("/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", "f" * 64), "/")


def _meddled(machine: Machine) -> None:
    """An administrator in between: units off, forwarding off, Docker's start failed."""
    for unit in ("docker.service", "kubelet.service", "containerd.service"):
        _root(machine, "systemctl", "disable", unit)
    machine.kernel.sysctls["net/ipv4/ip_forward"] = "0"
    _root(machine, "systemctl", "stop", "docker.service")
    machine.systemd.state("docker.service").active = "failed"


def _bare(machine: Machine) -> None:
    """containerd neither runs nor starts at boot, and the kernel lacks what it needs; Docker's package is held."""
    _root(machine, "apt-mark", "hold", "docker.io", "containerd")
    _root(machine, "systemctl", "disable", "containerd.service")
    machine.systemd.stop("containerd.service")
    machine.kernel.filesystems.discard("overlay")


def _unheld(machine: Machine) -> None:
    _root(machine, "apt-mark", "unhold", "containerd")
    machine.kernel.sysctls["net/ipv4/ip_forward"] = "0"


def _forwarding_off(machine: Machine) -> None:
    machine.kernel.sysctls["net/ipv4/ip_forward"] = "0"


def _leaked(machine: Machine) -> None:
    machine.fs.put("/var/lib/cni/networks/lab/10.244.1.250", f"{'c' * 64}\r\neth0")


def _restarted(machine: Machine) -> None:
    """dockerd was restarted before: what CNI plugins leave of the sandboxes that died with it."""
    _root(machine, "systemctl", "restart", "docker.service")
    machine.world.clock.sleep(30.0)


def _borrowed(machine: Machine) -> None:
    """A self-contained dockerd was restarted after the stage: it uses the containerd that it found."""
    _root(machine, "systemctl", "restart", "docker.service")


def _mirrors(machine: Machine) -> None:
    """A containerd that has certs.d, and registries to be written there."""
    machine.packages.known["containerd"].version = DEBIAN_12.offered["containerd"]
    machine.fs.put("/etc/docker/daemon.json", '{"registry-mirrors": ["http://10.77.0.2:5000"]}\n')


def _hook(pattern: str, fault: NodeFault, times: int = 1) -> Upset:
    return lambda machine: setattr(machine, "fault_hook", on_command(pattern, fault, times=times))


SCENES = (
    *(Scene(f"{step} fails on w2", step=step, node="w2") for step in STEPS),
    Scene("the control plane fails its proof", step="verify_node", node="cp1"),
    Scene("no crictl on the way back", step="start_kubelet", upset=_no_crictl),
    Scene("no crictl nor CRI on the way back", step="start_kubelet", upset=_no_crictl_nor_cri),
    Scene("mounts are left", step="start_kubelet", upset=_mounts),
    Scene("no crictl", _no_crictl, step="start_runtime"),
    Scene("shims that containerd forgot", step="start_kubelet", upset=_forgotten_shims),
    Scene("an administrator meddled", step="start_runtime", upset=_meddled),
    Scene("a bare containerd", _bare, step="stop_kubelet", upset=_unheld),
    Scene("forwarding off", step="stop_docker", upset=_forwarding_off, error=Stopped),
    Scene("stopped and resumed", step="stop_docker", error=Stopped),
    Scene("addresses leaked", _leaked),
    Scene("rules of sandboxes gone before", _restarted),
    Scene("dockerd on the staged containerd", step="drain", node="w2", upset=_borrowed),
    Scene("mirrors", _mirrors, step="start_kubelet"),
    Scene("no directory of containerd's", _no_directory, step="start_kubelet", node="w2"),
    Scene("an administrator's config.toml", _administrators, step="start_kubelet", node="w2"),
    Scene("deaf containers", step="start_kubelet", upset=_deaf_containers),
    Scene("the postrm's mask stays", _hook("deb-systemd-helper", NodeFault(rc=0, stderr=""))),
    Scene("three control planes", spec=ClusterSpec(nodes=5, control_planes=3)),
    Scene("systemd's cgroups", spec=ClusterSpec(nodes=3, control_planes=1, cgroup_driver="systemd")),
)
_SETTINGS = {"ignore_preflight_errors": ["CrictlMissing", "PackageHeld", "ForeignContainers"]}


def play(scene: Scene, directory: Path, tape: Tape) -> Rehearsed:
    """One scene: the run in which the step fails, and another one after it."""
    runs = Rehearsed(scene.spec, directory, tape, **_SETTINGS, **scene.settings)
    machine = runs.world.machines[scene.node]
    scene.before(machine)
    fault = (scene.node, scene.step) if scene.step else None
    runs.play("plan")
    runs.play("migrate#1", fault=fault, error=scene.error, upset=lambda: scene.upset(machine))
    runs.play("migrate#2")
    return runs


def performed() -> tuple[list[Heard], list[str]]:
    """All that was said to nodes, and what the rehearsal did not know."""
    with tempfile.TemporaryDirectory() as folder:
        tape, runs = like_the_lab(Path(folder) / "lab")
        complaints = list(runs.world.complaints)
        for number, scene in enumerate(SCENES):
            complaints += play(scene, Path(folder) / str(number), tape).world.complaints
        complaints += _jobs(Path(folder) / "jobs", tape)
        complaints += _cleanup(Path(folder) / "cleanup", tape)
        return tape.heard, complaints


def _jobs(directory: Path, tape: Tape) -> list[str]:
    """A job that fails, one whose failure was left behind; a node without containers; a program that is asked for."""
    runs = Rehearsed(LIKE_THE_LAB, directory, tape)
    machine = runs.world.machines["w1"]
    connection = MemoryConnection(machine, Result, Download)

    def failing() -> Any:
        yield from job("m-1-twin", ("apt-get", "-y", "install", "nosuchpackage"), seconds=60, why="fail")
        return ""

    tape.run = "jobs"
    with tape.listening(MemoryConnection):
        with suppress(CriSwitchError):
            perform(connection, failing(), sleep=runs.world.clock.sleep)
        machine.fault_hook = on_command("systemctl reset-failed", NodeFault(drop=True))
        for _ in range(2):
            with suppress(CriSwitchError):
                perform(connection, failing(), sleep=runs.world.clock.sleep)
        for name, program in (
            ("ended", "true"),
            ("failed", "apt-get -y install nosuchpackage"),
        ):  # a killed run left them
            unit = f"--unit=cri-switch-m-1-{name}-00000000.service"
            _root(
                machine, "systemd-run", unit, "--description=cri-switch", "--remain-after-exit", "--", *program.split()
            )
        runs.world.clock.sleep(5)
        perform(connection, finish_jobs(runs.migration()), sleep=runs.world.clock.sleep)
        connection.run(plain("stat", "-L", "-c", "%n", "--", "/usr/bin/nosuch", ok=range(256)))
        _follow(connection, tape)
    return list(runs.world.complaints)


def _follow(connection: Any, tape: Tape) -> None:
    """Two looks at the journals: its time is the real one, in which the scenes are too short for a second look."""
    with Follower(connection, lambda _line: None, every=0.01):
        deadline = Deadline.after(30)
        while not any("--after-cursor" in one.argv for one in tape.heard) and not deadline.expired:
            time.sleep(0.01)


def _cleanup(directory: Path, tape: Tape) -> list[str]:
    """After a migration: Docker's data, refused for what is not Kubernetes', then deleted; and etcd's snapshot."""
    runs = Rehearsed(LIKE_THE_LAB, directory, tape)
    runs.play("migrate#2")
    machine, root = runs.world.machines["w1"], "/var/lib/docker"
    connection: MemoryConnection[Result, Download] = MemoryConnection(machine, Result, Download)
    machine.fs.put(f"{root}/volumes/data/_data/file", "x")
    machine.fs.put(f"{root}/containers/0123/config.v2.json", "{}")
    tape.run = "cleanup"
    with tape.listening(MemoryConnection):
        with suppress(NotProven):
            perform(connection, delete_docker_data("w1"), sleep=runs.world.clock.sleep)
        machine.fs.remove(f"{root}/volumes", recursive=True)
        machine.fs.remove(f"{root}/containers/0123", recursive=True)
        perform(connection, delete_docker_data("w1"), sleep=runs.world.clock.sleep)
        # of a control plane that an earlier migration has switched
        snapshot(
            MemoryConnection(runs.world.machines["cp1"], Result, Download), directory / "etcd.db", "20261123T180000Z"
        )
    return list(runs.world.complaints)
