"""Turn a copy of a cached root into one particular machine, before it boots."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab import assets, disks, files, images, keys, server_files
from tests.lab.assets.repository import KEYRING, SUITES
from tests.lab.process import run
from tests.lab.report import LabError, step
from tests.lab.state import Lab, MachineState
from tests.lab.topology import Spec

_REPOSITORY = Path(__file__).parents[2]
SUDOERS = _REPOSITORY / "deployments" / "sudoers"
RBAC = _REPOSITORY / "deployments" / "rbac.yaml"


def check_inputs() -> None:
    """The lab uses what the product gives its users; without it there is nothing to test."""
    for file in (SUDOERS, RBAC):
        if not file.is_file():
            raise LabError(f"{file} is missing: the lab installs it as a real site would")


def create_root(lab: Lab, machine: MachineState, authorized_key: str) -> str:
    """Copy and fill the machine's root; the answer is its line for known_hosts (none for the server, without sshd)."""
    spec = machine.spec
    with step(f"{spec.name}: root"):
        source = _cached_root(lab, spec)
        disks.create(lab, machine)
        run(["cp", "-a", str(source), str(machine.root)])
        _common(lab, machine)
        if not spec.is_node:
            _server(lab, machine)
            return ""
        _node(lab, machine)
        _ssh(machine.root, authorized_key)
        return keys.host_key(machine.root / "etc/ssh", spec)


def _cached_root(lab: Lab, spec: Spec) -> Path:
    if spec.docker is None:
        return assets.server_root(spec.debian)
    return assets.node_root(spec.debian, spec.docker, containerd_marked_auto=spec.containerd_marked_auto)


def _common(lab: Lab, machine: MachineState) -> None:
    root, spec = machine.root, machine.spec
    _write(root, "etc/hostname", f"{spec.name}\n")
    _write(root, "etc/hosts", files.hosts(m.spec for m in lab.machines.values()))
    _write(root, "etc/resolv.conf", "# no nameserver: names are in /etc/hosts\n")
    _write(root, "etc/machine-id", "")
    _write(root, "etc/systemd/system/lab-remount.service", files.REMOUNT_UNIT)
    _write(root, "etc/systemd/system/lab-network.service", files.NETWORK_UNIT)
    _write(root, "usr/local/sbin/lab-network", files.network_script(spec), 0o755)
    _chroot(root, "systemctl --quiet enable lab-remount.service lab-network.service")


def _ssh(root: Path, authorized_key: str) -> None:
    user = keys.USER
    _write(root, "etc/ssh/sshd_config.d/lab.conf", files.SSHD_CONFIG)
    _write(root, f"home/{user}/.ssh/authorized_keys", authorized_key, 0o600)
    _chroot(root, f"chmod 700 /home/{user}/.ssh && chown -R {user}: /home/{user}/.ssh")


def _node(lab: Lab, machine: MachineState) -> None:
    root, spec = machine.root, machine.spec
    _write(root, "etc/docker/daemon.json", files.daemon_json(lab.cgroup_driver))
    _write(root, "etc/sudoers.d/cri-switch", SUDOERS.read_bytes(), 0o440)
    _write(root, "etc/apt/sources.list", "")
    shutil.rmtree(root / "etc/apt/sources.list.d", ignore_errors=True)
    assert spec.docker is not None
    _write(root, "etc/apt/sources.list.d/lab.list", files.sources_list(SUITES[spec.docker], spec.debian))
    _write(root, files.KEYRING.lstrip("/"), (assets.apt_repository(spec.debian) / KEYRING).read_bytes())
    _chroot(root, "visudo -cq -f /etc/sudoers.d/cri-switch")


def _server(lab: Lab, machine: MachineState) -> None:
    root = machine.root
    for debian in {node.spec.debian for node in lab.nodes}:
        packages = str(assets.apt_repository(debian))
        run(["cp", "-a", packages, str(_parent(root / f"srv/packages/debian{debian}"))])
    run(["cp", "-a", str(assets.registry_storage()), str(_parent(root / "srv/registry"))])
    images.unpack("kube-proxy", root / server_files.SERVICES_ROOT.lstrip("/"))
    _write(root, "etc/docker/registry/lab.yml", server_files.REGISTRY_CONFIG)
    _write(root, server_files.PACKAGES.lstrip("/"), server_files.PACKAGES_PROGRAM, 0o755)
    control_planes = [each.spec for each in lab.control_planes]
    _write(root, server_files.ENDPOINT_CONFIG.lstrip("/"), server_files.haproxy_config(control_planes))
    units = server_files.units(len(control_planes))
    for name, text in units.items():
        _write(root, f"etc/systemd/system/{name}", text)
    _chroot(root, f"systemctl --quiet enable {' '.join(units)}")


def _write(root: Path, name: str, content: str | bytes, mode: int = 0o644) -> None:
    path = _parent(root / name)
    if path.is_symlink():
        path.unlink()
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


def _parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _chroot(root: Path, script: str) -> None:
    run(["chroot", str(root), "/bin/sh", "-ec", script])
