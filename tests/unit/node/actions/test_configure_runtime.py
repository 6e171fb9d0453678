from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from cri_switch.model.errors import NotProven
from cri_switch.node.action import Performed, perform
from cri_switch.node.actions.configure_runtime import configure_runtime
from cri_switch.node.command import Result
from tests.unit.node.actions.machine import ENDPOINT, Machine, migration

CONFIG = "/etc/containerd/config.toml"
FLAGS = "/var/lib/kubelet/kubeadm-flags.env"
DEBIAN = """\
version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
"""
DOCKERS = 'disabled_plugins = ["cri"]\n'


def node(
    config: str | None = DEBIAN, flags: str = "--network-plugin=cni", kubelet: str = "cgroupDriver: cgroupfs\n"
) -> Machine:
    machine = Machine()
    machine.active["docker.service"] = False
    machine.files |= {
        FLAGS: f'KUBELET_KUBEADM_ARGS="{flags}"\n',
        "/var/lib/kubelet/config.yaml": kubelet,
        "/etc/docker/daemon.json": json.dumps({"insecure-registries": ["10.0.0.2:5000"]}),
    }
    if config is not None:
        machine.files[CONFIG] = config
    return machine


def act(machine: Machine) -> Performed:
    action = configure_runtime(migration(), migration_id="m1", kubelet_version="v1.20.2")
    return perform(machine, action, sleep=lambda _s: None)


def cri(machine: Machine) -> dict[str, Any]:
    plugin: dict[str, Any] = tomllib.loads(machine.files[CONFIG])["plugins"]["io.containerd.grpc.v1.cri"]
    return plugin


@pytest.mark.parametrize("config", [DEBIAN, DOCKERS, None])
def test_the_cri_is_on_with_what_the_kubelet_uses(config: str | None) -> None:
    machine = node(config, "--cni-bin-dir=/opt/other/bin --pod-infra-container-image=r.example/pause:3.2")
    act(machine)
    plugin = cri(machine)
    assert plugin["cni"]["bin_dir"] == "/opt/other/bin"
    assert plugin["sandbox_image"] == "r.example/pause:3.2"
    assert plugin["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is False
    assert tomllib.loads(machine.files[CONFIG]).get("disabled_plugins", []) == []
    assert f"runtime-endpoint: {ENDPOINT}\n" in machine.files["/etc/crictl.yaml"]
    kept = machine.files.get(f"/var/lib/cri-switch/m1/originals{CONFIG}")
    assert kept == config


@pytest.mark.parametrize(
    ("kubelet", "flags", "extra", "systemd"),
    [
        ("cgroupDriver: systemd\n", "", "", True),
        ("", "", "", False),
        ("", "--cgroup-driver=systemd", "", True),
        ("", "", 'KUBELET_EXTRA_ARGS="--cgroup-driver=systemd"', True),
        ("cgroupDriver: systemd\n", "--cgroup-driver=cgroupfs", "", False),
    ],
)
def test_the_cgroup_driver_is_the_kubelets(kubelet: str, flags: str, extra: str, systemd: bool) -> None:
    machine = node(DEBIAN, flags, kubelet)
    machine.files["/etc/default/kubelet"] = extra
    act(machine)
    assert cri(machine)["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is systemd


def test_another_driver_of_dockers_is_refused_before_anything_is_written() -> None:
    machine = node(kubelet="cgroupDriver: systemd\n")
    machine.active["docker.service"] = True
    with pytest.raises(NotProven, match="kubelet's cgroup driver is systemd, Docker's is cgroupfs"):
        act(machine)
    assert machine.did == []


def test_a_configuration_that_containerd_refuses_is_not_written() -> None:
    machine = node()
    machine.fails["config dump"] = Result(1, "", "containerd: Near line 3")
    with pytest.raises(NotProven, match="Near line 3"):
        act(machine)
    assert machine.files[CONFIG] == DEBIAN


def test_what_docker_held_up_is_set_at_once_and_for_the_next_boot() -> None:
    machine = node()
    act(machine)
    assert set(machine.sysctls.values()) == {"1"}
    assert "modprobe br_netfilter" in machine.did  # overlay is known to the kernel already
    assert "net.ipv4.ip_forward = 1\n" in machine.files["/etc/sysctl.d/99-cri-switch.conf"]
    assert "br_netfilter\n" in machine.files["/etc/modules-load.d/cri-switch.conf"]


@pytest.mark.parametrize("switched", [False, True])
def test_a_second_time_there_is_nothing_to_do_also_after_the_flags_were_switched(switched: bool) -> None:
    machine = node(
        flags="--network-plugin=cni --cni-bin-dir=/opt/other/bin --pod-infra-container-image=r.example/pause:1"
    )
    act(machine)
    if switched:
        machine.files[f"/var/lib/cri-switch/m1/originals{FLAGS}"] = machine.files[FLAGS]
        machine.files[FLAGS] = (
            f'KUBELET_KUBEADM_ARGS="--container-runtime=remote --container-runtime-endpoint={ENDPOINT}"\n'
        )
    again = act(machine)
    assert again.changed == 0
    assert again.summary.startswith("containerd was configured already (cgroup driver cgroupfs, pause image r.example")


def test_hosts_files_are_written_from_containerd_1_5_on_and_an_administrators_is_left_alone() -> None:
    machine = node()
    machine.fails["containerd --version"] = Result(0, "containerd github.com/containerd/containerd v1.6.20 2806fc1\n")
    path = "/etc/containerd/certs.d/10.0.0.2:5000/hosts.toml"
    act(machine)
    assert "http://10.0.0.2:5000" in machine.files[path]
    machine.files[path] = "server = 'mine'\n"
    assert "an administrator's" in act(machine).summary
    assert machine.files[path] == "server = 'mine'\n"


def test_no_hosts_file_is_written_that_containerd_does_not_read() -> None:
    """config_path and mirrors together are refused by the CRI plugin, so an administrator's tables are continued."""
    mirrors = '[plugins."io.containerd.grpc.v1.cri".registry.mirrors."r.example"]\nendpoint = ["https://r.example"]\n'
    machine = node(f"version = 2\n{mirrors}")
    machine.fails["containerd --version"] = Result(0, "containerd github.com/containerd/containerd v1.6.20 2806fc1\n")
    act(machine)
    assert not [path for path in machine.files if path.endswith("hosts.toml")]
    assert cri(machine)["registry"]["mirrors"]["10.0.0.2:5000"]["endpoint"][0] == "https://10.0.0.2:5000"


def test_a_cgroup_driver_that_there_is_not_is_never_taken_for_cgroupfs() -> None:
    machine = node(flags="--network-plugin=cni --cgroup-driver=foo")
    with pytest.raises(NotProven, match="--cgroup-driver=foo is not cgroupfs or systemd"):
        act(machine)
    assert machine.files[CONFIG] == DEBIAN
