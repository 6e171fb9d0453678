"""containerd on a node, with its CRI plugin where the configuration leaves it on."""

from __future__ import annotations

import posixpath

from cri_switch.rehearsal.box import Box, EngineRefuses
from cri_switch.rehearsal.containerd_settings import BadConfig, Settings, understand
from cri_switch.rehearsal.engine import Engine
from cri_switch.rehearsal.filesystem import FsError
from cri_switch.rehearsal.images import Image, canonical

CONFIG = "/etc/containerd/config.toml"
SOCKET = "/run/containerd/containerd.sock"
CRI_READY_AFTER = 0.15
"""systemd's "started" is earlier than the CRI's: crictl answers "server is not initialized yet" until then."""


class ContainerdEngine(Engine):
    """Only k8s.io is kept here; the tasks of moby are Docker's running containers. Containers outlive a restart."""

    namespace = "k8s.io"
    cache = "/var/lib/cni"
    scope = "containerd.service"
    scope_name = "cri-containerd"
    restart_sec = 5.0
    netns_outlives = True
    argv = ("/usr/bin/containerd",)
    loaded = Settings(cri=False)
    cri_at = 0.0

    @property
    def up(self) -> bool:
        """Whether containerd runs."""
        return self.machine.systemd.active("containerd.service")

    @property
    def version(self) -> str:
        """As the kubelet reports it."""
        return f"containerd://{self.machine.containerd_version}"

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor."""
        major, minor, *_rest = self.machine.containerd_version.split(".")
        return int(major), int(minor)

    def cri_problem(self) -> str:
        """Empty when the CRI answers, else what a client is told."""
        if not self.up:
            if self.machine.fs.exists(SOCKET):
                return f"dial unix {SOCKET}: connect: connection refused"
            return f"dial unix {SOCKET}: connect: no such file or directory"
        if not self.loaded.cri:
            return "rpc error: code = Unimplemented desc = unknown service runtime.v1alpha2.RuntimeService"
        if self.machine.now() < self.cri_at:
            return "rpc error: code = Unknown desc = server is not initialized yet"
        return ""

    def settings(self) -> tuple[str, str, str, str]:
        """Those of the file that was there at its start."""
        now = self.loaded
        return now.sandbox_image, now.bin_dir, now.conf_dir, "systemd" if now.systemd_cgroup else "cgroupfs"

    def start(self) -> str:
        """Read the configuration, make the socket anew."""
        try:
            self.loaded = understand(self.machine.fs.text(CONFIG), self.release)
        except BadConfig as problem:
            return str(problem)
        self.machine.socket_file(SOCKET)
        self.machine.fs.mkdir("/var/lib/containerd", 0o711)
        self.cri_at = self.machine.now() + CRI_READY_AFTER
        return ""

    def stop(self) -> None:
        """KillMode=process: shims and containers live on; its socket goes."""
        if self.machine.fs.lookup(SOCKET, follow=False):
            self.machine.fs.remove(SOCKET)

    def cgroup(self, box: Box) -> str:
        """A driver that is not the kubelet's is silent: the container lies outside kubepods."""
        kubelets, own = self.machine.kubelet.driver, self.settings()[3]
        if kubelets == "systemd" and own == "cgroupfs":
            slice_ = f"kubepods-besteffort-pod{box.owner.uid.replace('-', '_')}.slice"
            return f"/system.slice/containerd.service/{slice_}:cri-containerd:{box.id}"
        if kubelets == "cgroupfs" and own == "systemd":
            return f"/system.slice/cri-containerd-{box.id}.scope"
        return super().cgroup(box)

    def labels(self, box: Box) -> dict[str, str]:
        """The kubelet's."""
        labels = {
            "io.kubernetes.pod.name": box.owner.name,
            "io.kubernetes.pod.namespace": box.owner.namespace,
            "io.kubernetes.pod.uid": box.owner.uid,
        }
        if box.id != box.sandbox_id:
            labels["io.kubernetes.container.name"] = box.name
        return labels

    def write_log(self, box: Box) -> None:
        """The CRI log; a dangling link in its place makes the container's start fail."""
        fs = self.machine.fs
        path = f"/var/log/pods/{box.owner.namespace}_{box.owner.name}_{box.owner.uid}/{box.name}/{box.attempt}.log"
        fs.mkdir(posixpath.dirname(path))
        try:
            fs.write(path, "", 0o640)
        except FsError as problem:
            raise EngineRefuses(
                "RunContainerError",
                "failed to create containerd task: failed to create container loggers: failed to create and open"
                f" log file: open {path}: {problem.words.lower()}",
            ) from problem
        fs.symlink(path, f"/var/log/containers/{box.owner.name}_{box.owner.namespace}_{box.name}-{box.id}.log")
        box.log = path

    def add_image(self, one: Image) -> None:
        """Names are canonical here."""
        known = self.images.get(one.id)
        tags = dict.fromkeys([*(known.tags if known else ()), *(canonical(tag) for tag in one.tags)])
        super().add_image(Image(one.id, tuple(tags), one.size))

    def names(self) -> list[str]:
        """`ctr images ls -q`: every name, and the digest that the CRI adds."""
        found = {tag for one in self.images.values() for tag in one.tags}
        return sorted(found | (set(self.images) if self.loaded.cri else set()))
