"""What the packages of the runtimes bring, and what their maintainer scripts do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

LIB = "/lib/systemd/system"
DOCKER = ("docker.io", "docker-engine", "docker-ce")
DOCKER_UNITS = ("docker.service", "docker.socket")
MARK = "/var/lib/systemd/deb-systemd-helper-masked"
DOCKER_SERVICE = """[Unit]
Description=Docker Application Container Engine
After=network-online.target docker.socket containerd.service
Wants=network-online.target containerd.service
Requires=docker.socket

[Service]
Type=notify
EnvironmentFile=-/etc/default/docker
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS
Restart=always
RestartSec=2
Delegate=yes
KillMode=process

[Install]
WantedBy=multi-user.target
"""
DOCKER_SOCKET = """[Unit]
Description=Docker Socket for the API

[Socket]
ListenStream=/var/run/docker.sock
SocketMode=0660
SocketUser=root
SocketGroup=docker

[Install]
WantedBy=sockets.target
"""
CONTAINERD_SERVICE = """[Unit]
Description=containerd container runtime
After=network.target local-fs.target

[Service]
ExecStart=/usr/bin/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
"""
CONTAINERD_TOML = """version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd"
"""
"""Debian's, with its trap: the plugins are in /opt/cni/bin."""

DOCKERS_TOML = '#   Copyright 2018-2020 Docker Inc.\n\ndisabled_plugins = ["cri"]\n'
"""That of docker.com's containerd package, on nodes whose Docker is not the distribution's."""


def unpack(machine: Machine, package: str) -> None:
    """Its files, enabled as the postinst does; nothing is started."""
    fs, files = machine.fs, machine.systemd.files
    for path in _programs(package):
        fs.put(path, b"\x7fELF", 0o755)
    if package in DOCKER:
        fs.put(f"{LIB}/docker.service", DOCKER_SERVICE)
        fs.put(f"{LIB}/docker.socket", DOCKER_SOCKET)
        fs.put("/etc/init.d/docker", "#!/bin/sh\n", 0o755)
        fs.put("/etc/default/docker", "#DOCKER_OPTS=\n")
        for runlevel in range(7):
            fs.symlink("../init.d/docker", f"/etc/rc{runlevel}.d/{'S' if 2 <= runlevel <= 5 else 'K'}01docker")
        fs.mkdir("/var/lib/docker/containers", 0o710)
        if fs.exists(MARK):  # the postrm's own mask
            fs.remove(MARK, recursive=True)
            for unit in DOCKER_UNITS:
                files.unmask(unit)
        for unit in DOCKER_UNITS:
            files.enable(unit)
    elif package == "containerd":
        fs.put(f"{LIB}/containerd.service", CONTAINERD_SERVICE)
        if not fs.exists("/etc/containerd/config.toml"):
            theirs = machine.docker_package != "docker.io"  # the packages' source is docker.com's then
            fs.put("/etc/containerd/config.toml", DOCKERS_TOML if theirs else CONTAINERD_TOML)
        files.enable("containerd.service")


def configure(machine: Machine, package: str) -> None:
    """The postinst's start of the units; what is masked is not started."""
    units = {"containerd": ("containerd.service",)}.get(package, DOCKER_UNITS[::-1] if package in DOCKER else ())
    for unit in units:
        if not machine.systemd.files.masked(unit):
            machine.systemd.start(unit)


def remove(machine: Machine, package: str) -> None:
    """prerm stops the units, postrm masks them (Debian 11's does); the data stays, the enabling links dangle."""
    fs, files = machine.fs, machine.systemd.files
    for path in _programs(package):
        fs.remove(path)
    if package in DOCKER:
        for unit in DOCKER_UNITS[::-1]:
            machine.systemd.stop(unit)
            fs.remove(f"{LIB}/{unit}")
            files.mask(unit)
        fs.mkdir(MARK)
        fs.put("/var/lib/docker/nuke-graph-directory.sh", "#!/bin/sh\n", 0o755)
    elif package == "containerd":
        machine.systemd.stop("containerd.service")
        fs.remove(f"{LIB}/containerd.service")
        files.mask("containerd.service")


def purge(machine: Machine, package: str) -> None:
    """The postrm's purge: configuration and masks go; Docker's takes /var/lib/docker with it."""
    fs, files = machine.fs, machine.systemd.files
    machine.packages.known[package].status = "pn"
    if package == "containerd" and fs.exists("/etc/containerd/config.toml"):
        fs.remove("/etc/containerd/config.toml")
        if not fs.names("/etc/containerd"):  # dpkg leaves a directory that is not empty
            fs.remove("/etc/containerd", recursive=True)
    for path in ("/var/lib/docker", "/etc/docker") if package in DOCKER else ():
        if fs.exists(path):
            fs.remove(path, recursive=True)
    for unit in DOCKER_UNITS if package in DOCKER else (f"{package}.service",):
        files.unmask(unit)
        files.disable(unit)


def _programs(package: str) -> tuple[str, ...]:
    if package in DOCKER:
        return "/usr/bin/docker", "/usr/sbin/dockerd"
    return {"containerd": ("/usr/bin/containerd", "/usr/bin/ctr"), "runc": ("/usr/sbin/runc",)}.get(package, ())
