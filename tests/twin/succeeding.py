"""What the runs of the twins never do well on a lab is done here, on both, when a migration has ended.

These commands belong to ways back and to nodes without crictl: ctr's and the kernel's, signals, deleted logs, etcd
asked through crictl. Each is a stage of its own, so that its exit code, its answer and how the node stands afterwards
are compared. The kubelet of the worker is stopped meanwhile, as it is when the pipeline says them.
"""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cri_switch.node.command import sudo
from cri_switch.node.connection import Connection
from cri_switch.node.etcd_member import ask_control_plane, lost_without
from cri_switch.node.etcd_snapshot import snapshot
from cri_switch.node.facts.cri import ENDPOINT, CriContainer, cri_containers, cri_sandboxes
from cri_switch.node.facts.ctr import containerd_tasks
from cri_switch.node.facts.leftovers import CRI_LOGS, CTR_CONTAINERS, K8S_SHIMS, POD_LOGS, children_of
from cri_switch.node.transfer import Transfer
from cri_switch.render.sysctl import SYSCTL_CONF
from tests.twin.standing import standing
from tests.twin.tape import Tape

STAGE = "succeeds"
CTR = ("ctr", "-n", "k8s.io")
FOREIGN = "f0" * 32
ONLY_HERE = (
    "sudo crictl exec", "sudo ctr -n k8s.io containers rm",
    "sudo ctr -n k8s.io tasks kill", "sudo ctr -n k8s.io tasks rm",
    "sudo find PATH -depth", "sudo find PATH -mindepth N -maxdepth N -type f -name [0-9]*.log* -delete", "sudo kill",
    "sudo modprobe", "sudo sysctl -w",
)  # fmt: skip
"""The beginnings of those that no run issues on a lab."""
CERTS_D = "/etc/containerd/certs.d"
MODPROBE = "/etc/modprobe.d/cri-switch-twin.conf"
"""A lab's machine is a container and has no modules' files: this makes modprobe content there."""
_ANY = range(256)
_SETTLED = 3.0
"""Seconds after which containerd has noticed that a task has ended."""


@dataclass(frozen=True)
class Stage:
    """One node while commands are tried on it; `sleep` lets the time of its ground pass."""

    node: Connection
    tape: Tape
    sleep: Callable[[float], None]

    def quietly(self, *argv: str) -> None:
        """Say what only prepares."""
        with self.tape.unheard():
            self.node.run(sudo(*argv, ok=_ANY, timeout=120))

    @contextmanager
    def called(self, name: str, looks: Callable[[], dict[str, str]] = dict) -> Iterator[None]:
        """A stage; how the node stands at its end is kept, with what `looks` sees."""
        self.tape.stages[self.node.node] = f"{STAGE}: {name}"
        yield
        self.sleep(_SETTLED)
        with self.tape.unheard():
            state = standing(self.node) | looks()
        self.tape.states.append((self.node.node, f"{STAGE}: {name}", state))

    def say(self, name: str, *argv: str, looks: Callable[[], dict[str, str]] = dict) -> None:
        """One command that is a stage."""
        with self.called(name, looks):
            self.node.run(sudo(*argv, ok=_ANY, timeout=120))


def try_succeeding(
    worker: Connection, plane: Transfer, tape: Tape, sleep: Callable[[float], None], foreign: Callable[[str], None]
) -> None:
    """On a migrated worker and a migrated control plane.

    `foreign` starts a container of that id on the worker, in k8s.io and not by CRI: a task of CRI's own is taken away
    by CRI when it ends, at times before `ctr tasks rm -f`, which has killed it, has done so.
    """
    on = Stage(worker, tape, sleep)
    _etcd(Stage(plane, tape, sleep), plane)
    on.quietly("systemctl", "stop", "kubelet")
    _kernel(on)
    _signals(on)
    _ctr(on)
    foreign(FOREIGN)
    on.say("a task removed", *CTR, "tasks", "rm", "-f", FOREIGN, looks=lambda: _held(on, FOREIGN))
    on.say("its container removed", *CTR, "containers", "rm", FOREIGN, looks=lambda: _held(on, FOREIGN))
    on.say("pods removed", "crictl", "--runtime-endpoint", ENDPOINT, "rmp", "-a", "-f", looks=lambda: _logs(on))
    _find(on)
    on.quietly("systemctl", "start", "kubelet")


def _etcd(on: Stage, plane: Transfer) -> None:
    with on.called("etcd asked by crictl"), tempfile.TemporaryDirectory() as folder:
        found = ask_control_plane(plane)
        assert found.leads, found
        lost_without(plane)
        assert snapshot(plane, Path(folder) / "etcd.db", "20261123T180000Z").keys > 0


def _kernel(on: Stage) -> None:
    on.say("forwarding off", "sysctl", "-w", "net.ipv4.ip_forward=0")
    on.say("forwarding on", "sysctl", "-w", "net.ipv4.ip_forward=1")
    on.say("sysctls of a file", "sysctl", "-p", SYSCTL_CONF)
    on.quietly("mkdir", "-p", "--", posixpath.dirname(MODPROBE))
    with on.tape.unheard():
        content = b"install overlay /bin/true\ninstall br_netfilter /bin/true\n"
        on.node.run(sudo("dd", f"of={MODPROBE}", "conv=fsync", "status=none", stdin=content))
    on.say("modules", "modprobe", "-a", "overlay", "br_netfilter")
    on.quietly("rm", "-f", "--", MODPROBE)


def _signals(on: Stage) -> None:
    """A shim and what runs below it, as is done with one that containerd has forgotten.

    Of a pod on the node's network: of another one the network namespace stays, and containerd 1.4 refuses to remove
    the sandbox by `crictl rmp -f`, which does not stop one that is NotReady ("is not fully closed"; seen on a lab).
    """
    box = _running(on, "kube-proxy")
    with on.tape.unheard():
        pids = [line.split()[0] for line in K8S_SHIMS.read(on.node) if box.sandbox_id in line]
        children = children_of(pids).read(on.node)
    assert pids
    assert children
    on.say("a shim killed", "kill", "-KILL", *children, *pids, looks=lambda: _boxes(on, box))


def _ctr(on: Stage) -> None:
    """Two pods: what is done to one whose containers end by themselves, and to one whose containers do not."""
    for name, signal in (("ledger", "SIGTERM"), ("agent", "SIGKILL")):
        box = _running(on, name)

        def looks(box: CriContainer = box) -> dict[str, str]:
            return _boxes(on, box)

        on.say(f"{name} running is not removed", *CTR, "containers", "rm", box.id, looks=looks)
        on.say(f"{name} ended", *CTR, "tasks", "kill", "-s", signal, box.id, looks=looks)
        on.say(f"{name} ended again", *CTR, "tasks", "kill", "-s", "SIGKILL", box.id, looks=looks)
        on.say(f"{name}'s task is gone", *CTR, "tasks", "rm", "-f", box.id, looks=looks)
        on.say(f"{name} removed", *CTR, "containers", "rm", box.id, looks=looks)
        on.say(f"{name}'s pause ended", *CTR, "tasks", "kill", "-s", "SIGKILL", box.sandbox_id, looks=looks)
        on.say(f"{name}'s pause removed", *CTR, "containers", "rm", box.sandbox_id, looks=looks)
        on.say(f"{name}'s pause is gone", *CTR, "containers", "rm", box.sandbox_id, looks=looks)
    on.say("CRI forgets what ctr removed", "systemctl", "restart", "containerd.service", looks=looks)


def _find(on: Stage) -> None:
    words = ("-mindepth", "3", "-maxdepth", "3", "-type", "f", "-name", "[0-9]*.log*", "-delete")
    on.say("logs deleted", "find", POD_LOGS, *words, looks=lambda: _logs(on))
    on.quietly("mkdir", "-p", "--", f"{CERTS_D}/twin/below")
    on.say("empty directories deleted", "find", CERTS_D, "-depth", "-type", "d", "-empty", "-delete")


def _running(on: Stage, name: str) -> CriContainer:
    with on.tape.unheard():
        return next(one for one in cri_containers(ENDPOINT).read(on.node) if one.name == name)


def _boxes(on: Stage, box: CriContainer) -> dict[str, str]:
    """What containerd has of a pod: its container, its pause, their tasks, their shim; and whether it is Ready."""
    running = {one.id for one in cri_containers(ENDPOINT).read(on.node)}
    ready = {one.id for one in cri_sandboxes(ENDPOINT).read(on.node) if one.ready}
    state = {"runs by CRI": str(box.id in running), "Ready by CRI": str(box.sandbox_id in ready)}
    pause = {f"pause's {name}": value for name, value in _held(on, box.sandbox_id).items()}
    return state | pause | _held(on, box.id)


def _held(on: Stage, identity: str) -> dict[str, str]:
    """What containerd has of a container."""
    return {
        "container": str(identity in CTR_CONTAINERS.read(on.node)),
        "task": str(identity in (containerd_tasks("k8s.io").read(on.node) or ())),
        "shim": str(any(identity in line for line in K8S_SHIMS.read(on.node))),
    }


def _logs(on: Stage) -> dict[str, str]:
    return {
        "logs": str(bool(CRI_LOGS.read(on.node))),
        "sandboxes": str(len(cri_sandboxes(ENDPOINT).read(on.node))),
    }
