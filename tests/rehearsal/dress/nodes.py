"""Simulated nodes dressed with problems, several on each."""

from __future__ import annotations

import json

from cri_switch.rehearsal.box import Box
from cri_switch.rehearsal.certificates import certificate
from cri_switch.rehearsal.images import Image
from cri_switch.rehearsal.machine import Machine
from cri_switch.rehearsal.packages import Package

UNITS, FLAGS = "/etc/systemd/system", "/var/lib/kubelet/kubeadm-flags.env"
_DAEMON_JSON = """{
  "log-driver": "syslog", "default-runtime": "nvidia", "dns": ["10.0.0.53"],
  "insecure-registries": ["10.0.0.0/8"],
  "debug": true,
  "debug": false
}
"""


def settings(machine: Machine) -> None:
    """Files of Docker's and the kubelet's that say what is not carried over, or what keeps from a switch."""
    fs = machine.fs
    fs.put("/etc/docker/daemon.json", _DAEMON_JSON)
    fs.put("/etc/docker/certs.d/r.example:5000/ca.crt", "")
    fs.put(f"{UNITS}/docker.service.d/proxy.conf", "[Service]\nEnvironment=HTTPS_PROXY=http://u:hunter2@proxy:3128\n")
    fs.put(FLAGS, 'KUBELET_KUBEADM_ARGS="--network-plugin=kubenet --network-plugin-mtu=1400"\n')
    fs.put("/etc/default/kubelet", "what\nKUBELET_EXTRA_ARGS=--v=1\nKUBELET_EXTRA_ARGS=--v=2\n")
    fs.put("/etc/kubernetes/kubelet.env", "MORE=--container-runtime=docker --image-pull-progress-deadline=5m\n")
    drop_in = "[Unit]\nRequires=docker.service\n[Service]\nEnvironmentFile=-/etc/kubernetes/kubelet.env\n"
    fs.put(f"{UNITS}/kubelet.service.d/20-site.conf", drop_in)
    fs.put("/etc/containerd/config.toml", "version = [\n")


def host(machine: Machine) -> None:
    """Programs, units, containers and packages of somebody's; two containerds."""
    fs = machine.fs
    fs.put("/opt/app/app.service", "[Service]\nExecStart=/usr/bin/docker run app\n")
    fs.symlink("/opt/app/app.service", f"{UNITS}/app.service")
    fs.put("/etc/cron.d/prune", "0 3 * * * root /usr/bin/docker image prune -af\n")
    fs.put("/usr/local/bin/containerd", b"\x7fELF", 0o755)
    machine.docker_clients.add(machine.processes.start(("/usr/bin/watcher",), "/"))
    for name in ("ci", "etcd1"):
        image = Image(f"sha256:{name}", (f"registry.example/{name}:1",), 1)
        machine.docker.images[image.id] = image
        box = Box(f"{name:0<64}", name, image, image.tags[0], state="exited")
        machine.docker.boxes[box.id] = box
    machine.packages.known["docker.io"].hold = True
    machine.packages.known["less"] = Package("less", "551-2", "iF")


def system(machine: Machine) -> None:
    """What the machine itself lacks or is."""
    fs = machine.fs
    fs.put("/etc/os-release", 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n')
    fs.put("/sys/module/apparmor/parameters/enabled", "Y\n")
    fs.put("/sys/fs/selinux/enforce", "1\n")
    machine.kernel.mounts.add("/var/lib/containerd/tmpmounts/containerd-mount1")
    machine.metadata_blackholed = True
    machine.clock_skew = 60.0
    machine.disk_free = 1 << 30
    rule = fs.read("/etc/sudoers.d/cri-switch").decode()
    fs.put("/etc/sudoers.d/cri-switch", "".join(line for line in rule.splitlines(True) if "umount" not in line), 0o440)
    machine.crictl = False
    for program in ("/usr/local/bin/crictl", "/usr/bin/ping"):
        fs.remove(program)


def bare(machine: Machine) -> None:
    """Docker is stopped and had its data elsewhere, the flags are away, containerd is not to be had, the distribution
    is another.
    """
    machine.systemd.stop("docker.socket")
    machine.systemd.stop("docker.service")
    machine.fs.put("/etc/docker/daemon.json", '{"data-root": "/mnt/docker"}')
    machine.fs.remove(FLAGS)
    machine.packages.known.pop("containerd")
    machine.packages.offered.pop("containerd")
    machine.fs.put("/etc/os-release", 'ID=fedora\nVERSION_ID="33"\n')


def without_plugin(machine: Machine) -> None:
    """The network seems to be Docker's, with a configuration of a CNI plugin; a containerd that reads certs.d."""
    machine.fs.put(FLAGS, 'KUBELET_KUBEADM_ARGS="--v=2"\n')
    machine.fs.put("/etc/cni/net.d/10-site.conflist", json.dumps({"name": "site"}))
    machine.packages.known["containerd"].version = "1.6.2~ds1-1"
    machine.fs.put("/etc/docker/daemon.json", '{"registry-mirrors": ["http://m.example:5000"]}')
    machine.fs.put("/etc/containerd/certs.d/docker.io/hosts.toml", "server = 'mine'\n")


def another(machine: Machine) -> None:
    """Another machine answers than the one whose kubelet reports."""
    machine.fs.put("/etc/machine-id", f"{'0' * 32}\n")


def control_plane(machine: Machine) -> None:
    """Certificates that end, no room at all, an old containerd, flags that are not understood, cri-dockerd."""
    fs, today = machine.fs, int(machine.now() // 86400)
    fs.put("/etc/kubernetes/pki/apiserver.crt", certificate("apiserver", today - 366))
    fs.put("/etc/kubernetes/pki/front-proxy-client.crt", certificate("front-proxy-client", today - 350))
    fs.put(FLAGS, 'KUBELET_KUBEADM_ARGS="--network-plugin=cni\n')
    fs.put("/etc/default/kubelet", "what\n")
    machine.packages.known["containerd"].version = "1.2.6-1"
    machine.disk_free = 1 << 10
    fs.put(f"{UNITS}/cri-docker.service", "[Service]\nExecStart=/usr/bin/cri-dockerd\n")
    machine.systemd.start("cri-docker.service")
