"""The files of a node that was switched before the rehearsal begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cri_switch.rehearsal.kubelet_flags import FLAGS_FILE, PAUSE

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine


def migrated(machine: Machine, images: Sequence[str]) -> None:
    """containerd configured, the kubelet's flags, no Docker."""
    fs = machine.fs
    text = (
        'version = 2\n[plugins]\n  [plugins."io.containerd.grpc.v1.cri"]\n'
        f'    sandbox_image = "{PAUSE}"\n    [plugins."io.containerd.grpc.v1.cri".cni]\n'
        '      bin_dir = "/opt/cni/bin"\n      conf_dir = "/etc/cni/net.d"\n'
        '    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]\n'
        '      runtime_type = "io.containerd.runc.v2"\n'
        '      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]\n'
        f"        SystemdCgroup = {str(machine.cgroup_driver == 'systemd').lower()}\n"
    )
    fs.put("/etc/containerd/config.toml", text)
    fs.put("/etc/crictl.yaml", "runtime-endpoint: unix:///run/containerd/containerd.sock\n")
    remote = "--container-runtime=remote " if machine.minor <= 23 else ""
    fs.put(
        FLAGS_FILE,
        f'KUBELET_KUBEADM_ARGS="{remote}--pod-infra-container-image={PAUSE}'
        ' --container-runtime-endpoint=unix:///run/containerd/containerd.sock"\n',
    )
    for one in [PAUSE, *images]:
        machine.containerd.add_image(machine.docker.pull_anyway(one))
    package = machine.packages.known[machine.docker_package]
    package.status = "rc"
    for unit in ("docker.service", "docker.socket"):
        machine.systemd.files.disable(unit)
        fs.remove(f"/lib/systemd/system/{unit}")
    links = [f"/etc/rc{runlevel}.d/{name}" for runlevel in range(7) for name in fs.names(f"/etc/rc{runlevel}.d")]
    for path in ("/usr/bin/docker", "/usr/sbin/dockerd", *(link for link in links if link.endswith("docker"))):
        fs.remove(path)
    for name in ("containerd", "runc"):
        machine.packages.known[name].manual = True
