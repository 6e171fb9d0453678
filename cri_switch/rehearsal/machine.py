"""A simulated node: its file system, units, packages, engines, kubelet, power."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cri_switch.rehearsal import machine_files
from cri_switch.rehearsal.containerd_engine import ContainerdEngine
from cri_switch.rehearsal.docker_engine import DockerEngine
from cri_switch.rehearsal.filesystem import Entry, FileSystem
from cri_switch.rehearsal.firewall import Firewall
from cri_switch.rehearsal.journald import Journal
from cri_switch.rehearsal.kernel import Kernel
from cri_switch.rehearsal.kubelet import Kubelet
from cri_switch.rehearsal.node_fault import NodeFault
from cri_switch.rehearsal.packages import Package, Packages
from cri_switch.rehearsal.pod_network import PodNetwork
from cri_switch.rehearsal.processes import Processes
from cri_switch.rehearsal.shell import run_job
from cri_switch.rehearsal.socket_unit import SocketUnit
from cri_switch.rehearsal.surroundings import World
from cri_switch.rehearsal.systemd import Systemd
from cri_switch.rehearsal.unit_files import UnitFiles

if TYPE_CHECKING:
    from cri_switch.rehearsal.engine import Box
    from cri_switch.rehearsal.release import Release

SHUTDOWN_SECONDS = 5.0
SHUTDOWN_SECONDS_CONTAINERD = 92.0
BOOT_SECONDS = 10.0


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
        self.release = release or machine_files.DEBIAN_11
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
        machine_files.fill(self, static_pods)
        installed = [docker_package, *(("containerd", "runc", "tini") if containerd_installed else ())]
        for package in installed:
            self.packages.known[package] = Package(package, self.release.offered.get(package, "1.0"))
            machine_files.unpack(self, package)
        self.packages.known[docker_package].manual = True
        for one in images:
            self.docker.add_image(self.docker.pull_anyway(one))
        if runtime == "containerd":
            machine_files.migrated(self, images)
        self.kernel.load_bridge_netfilter()
        self._boot_up()

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
        return self._upstream(self.docker_package)

    @property
    def containerd_version(self) -> str:
        """containerd's own."""
        return self._upstream("containerd")

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

    def tick(self) -> None:
        """Time has passed: units, then the kubelet."""
        with self.lock:
            if not self.up:
                return
            if self.down_until:
                self.down_until = 0.0
                self._boot_up()
            if self.now() < self.kubelet.idle_until:
                return
            self.systemd.settle()
            if self.up:  # no job took it down
                self.kubelet.tick()

    def reboot(self) -> None:
        """Power off and on again: it answers nothing for a while, then what is enabled starts."""
        with self.lock:
            slow = any(box.running for box in self.containerd.boxes.values()) and self.containerd.release < (1, 6)
            self.down_until = self.now() + BOOT_SECONDS + (SHUTDOWN_SECONDS_CONTAINERD if slow else SHUTDOWN_SECONDS)
            self.docker.crash()
            self.containerd.crash()
            self.kubelet.crash()
            self.systemd.states.clear()
            self.processes.all.clear()
            self.kernel = Kernel(str(uuid.uuid4()))
            for firewall in (self.firewall, self.firewall6):
                for table in list(firewall.tables):
                    firewall.flush_all(table)
            self.fs.root.children["run"] = Entry("d", 0o755)

    def _boot_up(self) -> None:
        conf = "".join(self.fs.text(f"/etc/sysctl.d/{name}") or "" for name in self.fs.names("/etc/sysctl.d"))
        modules = "".join(
            self.fs.text(f"/etc/modules-load.d/{name}") or "" for name in self.fs.names("/etc/modules-load.d")
        )
        if "br_netfilter" in modules.split():
            self.kernel.load_bridge_netfilter()
        self.kernel.set_all(conf)
        for line in machine_files.FORWARD_RULES:
            self.firewall.add("filter", line)
        self.systemd.boot()

    def _upstream(self, package: str) -> str:
        known = self.packages.known.get(package)
        version = known.version if known else self.packages.offered.get(package, "0.0.0")
        return version.partition("~")[0].partition("+")[0].partition("-")[0]

    def _special(self, path: str) -> bytes | None:
        return self.processes.read(path) or self.kernel.read(path)
