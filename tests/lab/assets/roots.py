"""The root directories that machines are copied from: nodes, which differ in their Docker, and the lab's server."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from tests.lab.assets.base import base, extract
from tests.lab.assets.cache import digest, entry, scratch
from tests.lab.assets.debian import bootstrap, in_root, run
from tests.lab.assets.kubernetes import kubernetes
from tests.lab.assets.repository import KEYRING, SUITES, apt_repository
from tests.lab.assets.runc import wrap_runc, wrapper_needed

Docker = Literal["docker.io", "docker-engine"]
_HERE = Path(__file__).parent
_PROGRAMS = ("kubelet", "kubeadm", "kubectl", "crictl")
_FOLDERS = ("etc/cni/net.d", "etc/kubernetes/manifests", "var/lib/kubelet", "etc/systemd/system/kubelet.service.d")
_SERVER = (
    "systemd systemd-sysv dbus iproute2 iputils-ping netbase procps util-linux mount curl ca-certificates"
    " docker-registry python3-minimal libpython3-stdlib haproxy openssl"
)
_SERVER_TIDY = """set -e
rm -f "$1/etc/machine-id" "$1/var/lib/dbus/machine-id"
touch "$1/etc/machine-id"
chroot "$1" systemctl mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer
chroot "$1" systemctl disable haproxy.service docker-registry.service
"""
# Installed from the lab's own repository, copied in: so it is proven to be enough, and apt's marks are apt's own.
_INSTALL = """
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
echo 'deb [signed-by=/usr/share/keyrings/{keyring}] file:/repository {suite} main' > /etc/apt/sources.list.d/lab.list
export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o APT::Sandbox::User=root update
apt-get -qq -y --no-install-recommends install {docker}
{marks}
apt-get clean
rm -rf /usr/sbin/policy-rc.d /etc/apt/sources.list.d/lab.list /var/lib/apt/lists/*
"""


def node_root(debian: int, docker: Docker, containerd_marked_auto: bool = False) -> Path:
    """A node's root, not to be changed: copy it for each machine. Nothing in it is of one machine only.

    It has Docker, kubelet (enabled), kubeadm, kubectl, crictl, CNI plugins in /opt/cni/bin, sshd without host keys,
    the user `ops`, the repository's keyring, and no package source. docker.io pulls in containerd, which apt then
    calls automatically installed; `containerd_marked_auto` only insists on it.
    """
    if containerd_marked_auto and docker != "docker.io":
        raise ValueError(f"{docker} installs no containerd that could be marked")
    inputs = {
        "base": base(debian).name,
        "repository": apt_repository(debian).name,
        "kubernetes": kubernetes().name,
        "docker": docker,
        "own": digest(_HERE / "roots.py", _HERE / "runc.py", _HERE / "files"),
        "wrapper": wrapper_needed(),
    }
    return entry(f"node{debian}-{docker}", inputs, lambda target: _node(target, debian, docker))


def _node(target: Path, debian: int, docker: Docker) -> None:
    repository = apt_repository(debian)
    run(["cp", "-a", f"{base(debian)}/root/.", str(target)])
    run(["cp", "-a", str(repository), str(target / "repository")])
    shutil.copyfile(repository / KEYRING, target / "usr/share/keyrings" / KEYRING)
    marks = "apt-mark showauto | grep -qx containerd" if docker == "docker.io" else ""
    in_root(target, _INSTALL.format(keyring=KEYRING, suite=SUITES[docker], docker=docker, marks=marks))
    shutil.rmtree(target / "repository")
    if wrapper_needed():
        wrap_runc(target, kubernetes() / "runcwrapper")
    _kubernetes(target, debian)


def _kubernetes(target: Path, debian: int) -> None:
    """What kubeadm's packages would have brought: programs, units, CNI plugins of the machine's own release."""
    for program in _PROGRAMS:
        shutil.copy2(kubernetes() / program, target / "usr/bin" / program)
    with scratch("cni") as work:
        plugins = extract(debian, "containernetworking-plugins", work)
        shutil.copytree(plugins / "usr/lib/cni", target / "opt/cni/bin")
    for folder in _FOLDERS:
        (target / folder).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_HERE / "files/kubelet.service", target / "lib/systemd/system/kubelet.service")
    shutil.copyfile(_HERE / "files/10-kubeadm.conf", target / "etc/systemd/system/kubelet.service.d/10-kubeadm.conf")
    (target / "etc/default/kubelet").write_text("KUBELET_EXTRA_ARGS=\n")
    in_root(target, "systemctl enable kubelet.service ssh.service")


def server_root(debian: int) -> Path:
    """The root of the lab's server: docker-registry, python3 with http.server, haproxy, curl; none of them enabled."""
    inputs = {"debian": debian, "packages": _SERVER, "how": _SERVER_TIDY}
    return entry(f"server{debian}", inputs, lambda target: bootstrap(target, debian, _SERVER, hooks=[_SERVER_TIDY]))
