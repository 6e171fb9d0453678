"""A simulated node: its file system, units, packages, engines, kubelet, power."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cri_switch.rehearsal import power
from cri_switch.rehearsal.containerd_engine import ContainerdEngine
from cri_switch.rehearsal.docker_engine import DockerEngine
from cri_switch.rehearsal.filesystem import FileSystem
from cri_switch.rehearsal.firewall import Firewall
from cri_switch.rehearsal.journald import Journal
from cri_switch.rehearsal.kernel import Kernel
from cri_switch.rehearsal.kubelet import Kubelet
from cri_switch.rehearsal.machine_files import fill
from cri_switch.rehearsal.migrated_files import migrated
from cri_switch.rehearsal.node_fault import NodeFault
from cri_switch.rehearsal.package_files import unpack
from cri_switch.rehearsal.packages import Package, Packages
from cri_switch.rehearsal.pod_network import PodNetwork
from cri_switch.rehearsal.processes import Processes
from cri_switch.rehearsal.release import DEBIAN_11, Release
from cri_switch.rehearsal.shell import run_job
from cri_switch.rehearsal.socket_unit import SocketUnit
from cri_switch.rehearsal.surroundings import World
from cri_switch.rehearsal.systemd import Systemd
from cri_switch.rehearsal.unit_files import UnitFiles

if TYPE_CHECKING:
    from cri_switch.rehearsal.box import Box


class Machine:
    """One node. All that happens on it happens under `lock`; `fault_hook` sees every program before it runs."""

    def __init__(
        self,
        name: str,
        address: str,
        world: World,
        *,
        release: Release | None = None,
        role: str = "worker",
        pod_cidr: str = "10.244.0.0/24",
        kubelet_version: str = "v1.20.2",
        cgroup_driver: str = "cgroupfs",
        runtime: str = "docker",
        crictl: bool = True,
        docker_package: str = "docker.io",
        containerd_installed: bool = True,
        images: Sequence[str] = (),
        static_pods: Sequence[dict[str, object]] = (),
    ) -> None:
        self.name, self.address, self.world, self.role = name, address, world, role
        self.release = release or DEBIAN_11
        self.kubelet_version, self.cgroup_driver, self.crictl = kubelet_version, cgroup_driver, crictl
        self.docker_package = docker_package
        self.lock = threading.RLock()
        self.fault_hook: Callable[[tuple[str, ...]], NodeFault | None] = lambda _argv: None
        self.down_until = 0.0
        self.metadata_blackholed = False
        self.docker_clients: set[int] = set()
        """Processes beside the kubelet that are connected to Docker's socket."""
        self.clock_skew = 0.0
        self.package_seconds = 0.0
        """What the package manager takes longer than usual."""
        self.disk_size, self.disk_free = 60 << 30, 45 << 30
        self.fs = FileSystem(self.now, self._special)
        self.processes = Processes()
        self.journal = Journal(name, self.now)
        self.kernel = Kernel(str(uuid.uuid4()))
        self.firewall, self.firewall6 = Firewall(), Firewall(at_boot=())
        self.packages = Packages(offered=dict(self.release.offered))
        self.network = PodNetwork(self.fs, self.firewall, self.firewall6, pod_cidr)
        self.docker, self.containerd = DockerEngine(self), ContainerdEngine(self)
        self.kubelet = Kubelet(self)
        self.systemd = Systemd(
            UnitFiles(self.fs), self.processes, self.journal, self.now, lambda argv, env: run_job(self, argv, env)
        )
        self.systemd.daemons = {
            "docker.socket": SocketUnit(self, "/run/docker.sock"),
            "docker.service": self.docker,
            "containerd.service": self.containerd,
            "kubelet.service": self.kubelet,
        }
        fill(self, static_pods)
        installed = [docker_package, *(("containerd", "runc", "tini") if containerd_installed else ())]
        for package in installed:
            self.packages.known[package] = Package(package, self.release.offered.get(package, "1.0"))
            unpack(self, package)
        self.packages.known[docker_package].manual = True
        for one in images:
            self.docker.add_image(self.docker.pull_anyway(one))
        if runtime == "containerd":
            migrated(self, images)
        self.kernel.load_bridge_netfilter()
        power.on(self)

    def now(self) -> float:
        """The world's time."""
        return self.world.clock.now()

    @property
    def room(self) -> int:
        """What is free on its disk, in bytes."""
        return self.disk_free if self.fs.room is None else self.fs.room

    @property
    def docker_version(self) -> str:
        """Docker's own, of its package's version."""
        return self.packages.upstream(self.docker_package)

    @property
    def containerd_version(self) -> str:
        """containerd's own."""
        return self.packages.upstream("containerd")

    @property
    def minor(self) -> int:
        """The kubelet's minor version."""
        return int(self.kubelet_version.lstrip("v").split(".")[1])

    @property
    def up(self) -> bool:
        """Whether it is powered on and booted."""
        return self.now() >= self.down_until

    def container(self, name: str) -> Box | None:
        """One that runs and has this name in its pod, in whichever engine."""
        boxes = [*self.docker.boxes.values(), *self.containerd.boxes.values()]
        return next((box for box in boxes if box.name == name and box.running), None)

    def has_program(self, name: str) -> bool:
        """Whether the program of a package is there."""
        owner = {"docker": self.docker_package, "ctr": "containerd", "containerd": "containerd"}.get(name)
        if name == "crictl":
            return self.crictl
        return owner is None or self.packages.installed(owner)

    def socket_file(self, path: str) -> None:
        """A listening socket's file, made anew."""
        if self.fs.lookup(path, follow=False):
            self.fs.remove(path)
        self.fs.put(path, b"", 0o660).socket = True

    def reboot(self) -> None:
        """Power off and on again: it answers nothing for a while, then what is enabled starts."""
        with self.lock:
            power.off(self)

    def tick(self) -> None:
        """Time has passed: units, then the kubelet."""
        with self.lock:
            if not self.up:
                return
            if self.down_until:
                self.down_until = 0.0
                power.on(self)
            if self.now() < self.kubelet.idle_until:
                return
            self.systemd.settle()
            if self.up:  # no job took it down
                self.kubelet.tick()

    def _special(self, path: str) -> bytes | None:
        return self.processes.read(path) or self.kernel.read(path)
