"""The Node object as its kubelet registers it and keeps its status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cri_switch.rehearsal.clock import timestamp

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

_LEAST_FREE = 0.1
"""The kubelet's nodefs.available."""
CRI_SOCKET = "kubeadm.alpha.kubernetes.io/cri-socket"
_ROLES = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


def new_node(machine: Machine) -> dict[str, Any]:
    """As kubeadm's join leaves it."""
    labels = {
        "kubernetes.io/hostname": machine.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
    }
    spec: dict[str, Any] = {"podCIDR": machine.network.cidr, "podCIDRs": [machine.network.cidr]}
    if machine.role == "control-plane":
        labels |= dict.fromkeys(_ROLES, "")
        spec["taints"] = [{"key": _ROLES[1], "effect": "NoSchedule"}]
    socket = (
        "/var/run/dockershim.sock" if machine.kubelet.engine is machine.docker else "/run/containerd/containerd.sock"
    )
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": machine.name, "labels": labels, "annotations": {CRI_SOCKET: socket}},
        "spec": spec,
        "status": {},
    }


def node_status(machine: Machine, old: dict[str, Any], now: float, not_ready: str) -> dict[str, Any]:
    """The status at this heartbeat; `not_ready` is the kubelet's message, "" when it is Ready."""
    stamp = timestamp(now)
    tight = machine.room < machine.disk_size * _LEAST_FREE
    disk = ("True", "KubeletHasDiskPressure") if tight else ("False", "KubeletHasNoDiskPressure")
    conditions = [
        _kept(old, "MemoryPressure", "False", "KubeletHasSufficientMemory", "", stamp),
        _kept(old, "DiskPressure", *disk, "", stamp),
        _kept(old, "PIDPressure", "False", "KubeletHasSufficientPID", "", stamp),
        _kept(old, "Ready", "False", "KubeletNotReady", not_ready, stamp)
        if not_ready
        else _kept(old, "Ready", "True", "KubeletReady", "kubelet is posting ready status", stamp),
    ]
    room = {"cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "60Gi"}
    return {
        **old,
        "addresses": [
            {"type": "InternalIP", "address": machine.address},
            {"type": "Hostname", "address": machine.name},
        ],
        "capacity": room,
        "allocatable": room,
        "conditions": conditions,
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": machine.kernel.boot_id,
            "containerRuntimeVersion": machine.kubelet.engine.version,
            "kernelVersion": "5.10.0",
            "kubeProxyVersion": machine.kubelet_version,
            "kubeletVersion": machine.kubelet_version,
            "machineID": (machine.fs.text("/etc/machine-id") or "").strip(),
            "operatingSystem": "linux",
            "osImage": machine.release.name,
            "systemUUID": machine.name,
        },
    }


def _kept(old: dict[str, Any], kind: str, status: str, reason: str, message: str, stamp: str) -> dict[str, Any]:
    before: dict[str, Any] = next((one for one in old.get("conditions") or [] if one["type"] == kind), {})
    same = before.get("status") == status
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": stamp,
        "lastTransitionTime": before["lastTransitionTime"] if same else stamp,
    }
