"""What both container engines of a node do: sandboxes and containers of pods, and their processes."""

from __future__ import annotations

import posixpath
import secrets
from typing import TYPE_CHECKING

from cri_switch.rehearsal.box import SANDBOX, Box, EngineRefuses
from cri_switch.rehearsal.failed_starts import EXIT_CODE
from cri_switch.rehearsal.image_store import ImageStore
from cri_switch.rehearsal.pod import Pod
from cri_switch.rehearsal.pod_network import NetworkRefuses

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine


class Engine(ImageStore):
    """Docker and containerd differ in names, paths and where they learn their settings; see the subclasses."""

    namespace = ""
    cache = ""
    scope = ""
    netns_outlives = False
    """Whether a sandbox's network namespace is still there when its pause container has ended."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.machine = machine
        self.boxes: dict[str, Box] = {}

    @property
    def version(self) -> str:
        """As the kubelet reports it."""
        raise NotImplementedError

    def settings(self) -> tuple[str, str, str, str]:
        """Pause image, CNI bin_dir, CNI conf_dir, cgroup driver."""
        raise NotImplementedError

    def labels(self, box: Box) -> dict[str, str]:
        """What the kubelet writes on it."""
        raise NotImplementedError

    def write_log(self, box: Box) -> None:
        """Make its log file; EngineRefuses where that is not possible."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """The containerd that its shims report to."""
        return "/run/containerd/containerd.sock"

    def run_sandbox(self, pod: Pod) -> Box:
        """A pause container in its network; EngineRefuses."""
        pause, bin_dir, conf_dir, _driver = self.settings()
        try:
            held = self.pull(pause)
        except EngineRefuses as problem:
            raise EngineRefuses("FailedCreatePodSandBox", f"failed to get sandbox image {pause!r}: {problem}") from None
        identity = secrets.token_hex(32)
        address = ""
        if pod.host_network:
            address = self.machine.address
        else:
            try:
                address = self.machine.network.attach(
                    identity, pod, cache=self.cache, bin_dir=bin_dir, conf_dir=conf_dir
                )
                self.machine.network.loopback(identity, pod, self.cache, "127.0.0.1")
            except NetworkRefuses as problem:
                raise EngineRefuses("FailedCreatePodSandBox", str(problem)) from problem
        box = Box(identity, SANDBOX, held, pause, pod, identity, ip=address)
        box.labels = self.labels(box)
        self.start_box(box)
        return box

    def run_container(self, sandbox: Box, name: str, asked: str, attempt: int) -> Box:
        """A container in a sandbox; EngineRefuses: there is none, or one that did not start."""
        held = self.pull(asked)
        box = Box(secrets.token_hex(32), name, held, asked, sandbox.pod, sandbox.id, attempt, ip=sandbox.ip)
        box.labels = self.labels(box)
        try:
            self.write_log(box)
        except EngineRefuses as problem:
            box.state, box.exit_code, box.failure = "exited", EXIT_CODE, problem.message
            box.created = box.finished = self.machine.now()
            self.boxes[box.id] = box
            raise
        self.start_box(box)
        return box

    def start_box(self, box: Box) -> None:
        """Its process and its shim."""
        box.state, box.created = "running", self.machine.now()
        box.started = box.created
        program = "/pause" if box.sandbox else f"/{posixpath.basename(box.asked).partition(':')[0]}"
        box.pid = self.machine.processes.start((program,), self.cgroup(box))
        if box.sandbox_id in ("", box.id) or self.namespace == "moby":
            words = ("/usr/bin/containerd-shim-runc-v2", "-namespace", self.namespace, "-id", box.id)
            box.shim = self.machine.processes.start((*words, "-address", self.address), "/system.slice/" + self.scope)
        self.boxes[box.id] = box

    def cgroup(self, box: Box) -> str:
        """Where its process is limited."""
        uid = box.pod.uid if box.pod else ""
        if not uid:
            return f"/docker/{box.id}"
        if self.settings()[3] == "systemd":
            slice_ = f"kubepods-besteffort-pod{uid.replace('-', '_')}.slice"
            return f"/kubepods.slice/kubepods-besteffort.slice/{slice_}/{self.scope_name}-{box.id}.scope"
        return f"/kubepods/besteffort/pod{uid}/{box.id}"

    scope_name = "docker"

    def stop_box(self, box: Box, code: int = 143) -> None:
        """Its process ends; with a sandbox the pod's other containers live on, as in reality until they are stopped."""
        if not box.running:
            return
        for pid in (box.pid, box.shim):
            self.machine.processes.end(pid)
        box.state, box.exit_code, box.finished, box.pid, box.shim = "exited", code, self.machine.now(), 0, 0

    def remove(self, box: Box) -> None:
        """It is gone from the store."""
        self.stop_box(box)
        self.boxes.pop(box.id, None)

    def remove_sandbox(self, sandbox: Box) -> None:
        """As the kubelet takes a pod away: containers, network, pause."""
        for box in [one for one in self.boxes.values() if one.sandbox_id == sandbox.id and one.id != sandbox.id]:
            self.remove(box)
        if sandbox.pod is not None and not sandbox.pod.host_network:
            netns = self.netns_outlives or sandbox.running
            self.machine.network.detach(sandbox.id, self.cache, netns=netns)
        self.remove(sandbox)

    def crash(self) -> None:
        """The machine went down: everything that ran has ended."""
        for box in self.boxes.values():
            if box.running:
                box.state, box.exit_code, box.finished, box.pid, box.shim = "exited", 255, self.machine.now(), 0, 0
