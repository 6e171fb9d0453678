"""Whether a kubelet's flags, its runtime and the pod network fit together, in the words of the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cri_switch.rehearsal.kubelet_flags import unknown_flag

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

CONFIG = "/var/lib/kubelet/config.yaml"
_CONTAINERD = ("unix:///run/containerd/containerd.sock", "unix:///var/run/containerd/containerd.sock")


def misfit(machine: Machine) -> str:
    """Why the kubelet cannot run with its flags on its runtime; "" when it can."""
    kubelet = machine.kubelet
    unknown = unknown_flag(kubelet.flags, machine.minor)
    if unknown:
        return f"unknown flag: --{unknown}"
    if machine.fs.text(CONFIG) is None:
        return f"failed to load Kubelet config file {CONFIG}: no such file or directory"
    return _cri(machine) if kubelet.remote else _docker(machine)


def network_problem(machine: Machine) -> str:
    """Why its node is not Ready for want of a pod network; "" when there is one."""
    if machine.network.ready(machine.kubelet.engine.settings()[2]):
        return ""
    return (
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"
        " message:cni config uninitialized"
    )


def _docker(machine: Machine) -> str:
    docker, driver = machine.docker, machine.kubelet.driver
    if not docker.up:
        return "failed to get docker version: Cannot connect to the Docker daemon at unix:///var/run/docker.sock."
    if docker.driver != driver:
        return (
            f'misconfiguration: kubelet cgroup driver: "{driver}" is different from'
            f' docker cgroup driver: "{docker.driver}"'
        )
    return ""


def _cri(machine: Machine) -> str:
    endpoint = machine.kubelet.flags.get("container-runtime-endpoint", "unix:///var/run/dockershim.sock")
    if endpoint not in _CONTAINERD:
        return f"dial {endpoint.replace('unix://', 'unix ')}: connect: no such file or directory"
    return machine.containerd.cri_problem()
