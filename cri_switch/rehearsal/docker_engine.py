"""Docker on a node: dockerd, its store, and what it puts into the kernel."""

from __future__ import annotations

import json
import posixpath
from typing import Any

from cri_switch.rehearsal.box import SANDBOX, Box, EngineRefuses
from cri_switch.rehearsal.docker_network import set_up
from cri_switch.rehearsal.engine import Engine
from cri_switch.rehearsal.filesystem import FsError
from cri_switch.rehearsal.kubelet_flags import PAUSE
from cri_switch.rehearsal.pod import Pod

ROOT = "/var/lib/docker"
CHECKPOINTS = "/var/lib/dockershim/sandbox"
DAEMON_JSON = "/etc/docker/daemon.json"
CONTAINERD = "/run/containerd/containerd.sock"


class DockerEngine(Engine):
    """As a daemon of systemd it is docker.service; containers are stopped with it."""

    namespace = "moby"
    cache = "/var/lib/cni/cache"
    scope = "containerd.service"
    scope_name = "docker"
    restart_sec = 2.0
    root = ROOT
    """Where its data are, by the daemon.json that it was started with."""
    driver = "cgroupfs"
    """native.cgroupdriver, likewise."""
    own_containerd = 0
    """The process of a self-contained Docker's own containerd; 0 where dockerd uses the machine's."""

    @property
    def argv(self) -> tuple[str, ...]:
        """dockerd's command line."""
        flag = () if self.self_contained else (f"--containerd={CONTAINERD}",)
        return ("/usr/sbin/dockerd", "-H", "fd://", *flag)

    @property
    def self_contained(self) -> bool:
        """Whether its package brings a containerd."""
        return self.machine.docker_package == "docker-engine"

    @property
    def address(self) -> str:
        """The containerd that it uses."""
        return "/var/run/docker/containerd/containerd.sock" if self.own_containerd else CONTAINERD

    @property
    def up(self) -> bool:
        """Whether dockerd runs."""
        return self.machine.systemd.active("docker.service")

    @property
    def version(self) -> str:
        """As the kubelet reports it."""
        return f"docker://{self.machine.docker_version}"

    def settings(self) -> tuple[str, str, str, str]:
        """dockershim has them from the kubelet's flags."""
        flags = self.machine.kubelet.flags
        return (
            flags.get("pod-infra-container-image", PAUSE),
            flags.get("cni-bin-dir", "/opt/cni/bin").split(",")[0],
            flags.get("cni-conf-dir", "/etc/cni/net.d"),
            self.driver,
        )

    def start(self) -> str:
        """dockerd: its chains, its bridge, its socket."""
        try:
            self.root = str(self._daemon_json().get("data-root") or ROOT)
        except ValueError as problem:
            return f"unable to configure the Docker daemon with file {DAEMON_JSON}: {problem}"
        options = [str(option).partition("=") for option in self._daemon_json().get("exec-opts") or []]
        self.driver = {name: value for name, _, value in options}.get("native.cgroupdriver", "cgroupfs")
        self.machine.fs.mkdir(f"{self.root}/containers", 0o710)
        if self.self_contained and not self.machine.fs.exists(CONTAINERD):
            words = ("containerd", "--config", "/var/run/docker/containerd/containerd.toml", "--log-level", "info")
            self.own_containerd = self.machine.processes.start(words, "/system.slice/docker.service")
        set_up(self.machine)
        self.machine.socket_file("/run/docker.sock")
        return ""

    def stop(self) -> None:
        """dockerd stops all its containers."""
        for one in list(self.boxes.values()):
            self.stop_box(one)
        self.machine.processes.end(self.own_containerd)
        self.own_containerd = 0

    def crash(self) -> None:
        """With its containerd."""
        super().crash()
        self.own_containerd = 0

    def start_box(self, box: Box) -> None:
        """EngineRefuses where the containerd that it uses has gone."""
        if not self.own_containerd and not self.machine.systemd.active("containerd.service"):
            why = f'connection error: desc = "transport: Error while dialing dial unix://{CONTAINERD}: timeout"'
            raise EngineRefuses("FailedCreatePodSandBox", f"Error response from daemon: {why}: unavailable")
        super().start_box(box)

    def run_sandbox(self, pod: Pod) -> Box:
        """With dockershim's checkpoint of it."""
        box = super().run_sandbox(pod)
        self.machine.fs.put(f"{CHECKPOINTS}/{box.id}", '{"version":"v1"}')
        return box

    def remove_sandbox(self, sandbox: Box) -> None:
        """By dockershim, which forgets its checkpoint; after a `docker rm` by hand it stays."""
        super().remove_sandbox(sandbox)
        if self.machine.fs.exists(f"{CHECKPOINTS}/{sandbox.id}"):
            self.machine.fs.remove(f"{CHECKPOINTS}/{sandbox.id}")

    def labels(self, box: Box) -> dict[str, str]:
        """dockershim's."""
        labels = {
            "annotation.io.kubernetes.pod.terminationGracePeriod": str(box.owner.grace),
            "io.kubernetes.container.name": box.name,
            "io.kubernetes.docker.type": "podsandbox" if box.name == SANDBOX else "container",
            "io.kubernetes.pod.name": box.owner.name,
            "io.kubernetes.pod.namespace": box.owner.namespace,
            "io.kubernetes.pod.uid": box.owner.uid,
        }
        if box.name == SANDBOX:
            del labels["annotation.io.kubernetes.pod.terminationGracePeriod"]
        else:
            labels["io.kubernetes.sandbox.id"] = box.sandbox_id
        return labels

    def write_log(self, box: Box) -> None:
        """Docker's json log, dockershim's links to it."""
        fs = self.machine.fs
        own = f"{self.root}/containers/{box.id}/{box.id}-json.log"
        fs.put(own, "", 0o640)
        pods = f"/var/log/pods/{box.owner.namespace}_{box.owner.name}_{box.owner.uid}/{box.name}/{box.attempt}.log"
        fs.symlink(own, pods)
        name = f"{box.owner.name}_{box.owner.namespace}_{box.name}-{box.id}.log"
        fs.symlink(pods, f"/var/log/containers/{name}")
        box.log = own

    def remove(self, box: Box) -> None:
        """docker rm: the log goes with it, the links stay."""
        super().remove(box)
        try:
            self.machine.fs.remove(posixpath.dirname(box.log), recursive=True)
        except FsError:
            return

    def _daemon_json(self) -> dict[str, Any]:
        return dict(json.loads(self.machine.fs.text(DAEMON_JSON) or "{}"))
