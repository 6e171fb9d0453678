"""The files of a fresh node: what kubeadm, the distribution and Docker have put there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from cri_switch.rehearsal.certificates import certificate, kubeconfig
from cri_switch.rehearsal.kubelet_flags import FLAGS_FILE, PAUSE
from cri_switch.rehearsal.pod_network import PLUGINS, conflist

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

SUDOERS = Path(__file__).parents[2] / "deployments" / "sudoers"
REGISTRY = "10.77.0.2:5000"
FORWARD_RULES = ("FORWARD -s 10.244.0.0/16 -j ACCEPT", "FORWARD -d 10.244.0.0/16 -j ACCEPT")
KUBELET_UNIT = """[Unit]
Description=kubelet: The Kubernetes Node Agent
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
"""
KUBEADM_CONF = """[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
--kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""
_FOLDERS = (
    "/etc/modules-load.d",
    "/etc/sysctl.d",
    "/tmp",  # noqa: S108 (on the simulated node)
    "/var/lib/cni",
    "/var/log/pods",
    "/var/log/containers",
    "/etc/cni/net.d",
    "/root",
    "/run",
    "/proc",
    "/sys",
)


def fill(machine: Machine, static_pods: Sequence[dict[str, object]]) -> None:
    """Everything but the packages of the container runtimes."""
    fs, driver = machine.fs, machine.cgroup_driver
    for folder in _FOLDERS:
        fs.mkdir(folder)
    if machine.crictl:
        fs.put("/usr/local/bin/crictl", b"\x7fELF", 0o755)
    for program in ("ping", "pgrep", "curl"):
        fs.put(f"/usr/bin/{program}", b"\x7fELF", 0o755)
    fs.put("/etc/os-release", machine.release.os_release)
    fs.put("/etc/hostname", f"{machine.name}\n")
    fs.put("/etc/machine-id", hashlib.md5(machine.name.encode(), usedforsecurity=False).hexdigest() + "\n")
    fs.put("/etc/sudoers.d/cri-switch", SUDOERS.read_bytes(), 0o440)
    fs.put("/etc/sysctl.conf", "# Kernel sysctl configuration file\n")
    fs.symlink("../sysctl.conf", "/etc/sysctl.d/99-sysctl.conf")
    fs.put("/etc/sysctl.d/README.sysctl", "Kernel system variables configuration files\n")
    fs.put("/etc/modules-load.d/modules.conf", "# /etc/modules: kernel modules to load at boot time.\n")
    fs.put("/etc/docker/daemon.json", _daemon_json(driver))
    fs.put("/lib/systemd/system/kubelet.service", KUBELET_UNIT)
    fs.put("/etc/systemd/system/kubelet.service.d/10-kubeadm.conf", KUBEADM_CONF)
    fs.symlink("/lib/systemd/system/kubelet.service", "/etc/systemd/system/multi-user.target.wants/kubelet.service")
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "cgroupDriver": driver,
        "kind": "KubeletConfiguration",
        "staticPodPath": "/etc/kubernetes/manifests",
    }
    fs.put("/var/lib/kubelet/config.yaml", yaml.safe_dump(config))
    pause = f"--pod-infra-container-image={PAUSE}"
    if machine.minor <= 23:
        fs.put(FLAGS_FILE, f'KUBELET_KUBEADM_ARGS="--network-plugin=cni {pause}"\n')
    else:
        fs.put(FLAGS_FILE, f'KUBELET_KUBEADM_ARGS="{pause}"\n')
    fs.put("/etc/cni/net.d/10-lab.conflist", conflist(machine.network.cidr))
    for plugin in PLUGINS:
        fs.put(f"/opt/cni/bin/{plugin}", b"\x7fELF", 0o755)
    fs.put("/etc/default/kubelet", "KUBELET_EXTRA_ARGS=\n")
    fs.put("/etc/kubernetes/kubelet.conf", "kind: Config\n", 0o600)
    fs.mkdir("/etc/kubernetes/manifests")
    for pod in static_pods:
        name = dict(pod["metadata"])["name"]  # type: ignore[call-overload]
        fs.put(f"/etc/kubernetes/manifests/{name}.yaml", yaml.safe_dump(pod, sort_keys=False), 0o600)
    if machine.role == "control-plane":
        _control_plane(machine)


def _daemon_json(driver: str) -> str:
    """As on a site with a registry of its own: all of it is for the migration to carry over."""
    settings = {
        "exec-opts": [f"native.cgroupdriver={driver}"],
        "insecure-registries": [REGISTRY],
        "registry-mirrors": [f"http://{REGISTRY}"],
        "log-driver": "json-file",
        "log-opts": {"max-size": "10m", "max-file": "3"},
    }
    return json.dumps(settings, indent=2) + "\n"


def _control_plane(machine: Machine) -> None:
    pki = "/etc/kubernetes/pki"
    today = int(machine.world.clock.wall() // 86400)
    for name in ("ca", "apiserver", "etcd/ca", "etcd/server"):
        machine.fs.put(f"{pki}/{name}.crt", certificate(name, today))
        machine.fs.put(f"{pki}/{name}.key", f"simulated key of {name}\n", 0o600)
    for name in ("admin", "controller-manager", "scheduler"):
        machine.fs.put(f"/etc/kubernetes/{name}.conf", kubeconfig(name, today), 0o600)
    machine.fs.mkdir("/var/lib/etcd/member", 0o700)
