"""Host paths that the system itself mounts: no data of a workload's own."""

from __future__ import annotations

_SYSTEM = (
    "/etc/kubernetes", "/etc/ssl", "/etc/ca-certificates", "/usr", "/lib", "/run", "/var/run", "/dev", "/proc", "/sys",
    "/opt/cni", "/etc/cni", "/var/lib/cni", "/var/log", "/var/lib/kubelet", "/var/lib/etcd", "/etc/localtime",
    "/etc/hosts", "/etc/resolv.conf", "/etc/machine-id", "/etc/os-release",
)  # fmt: skip


def is_system_path(path: str) -> bool:
    """Whether a hostPath is the system's (sockets, certificates, logs, etcd), and not a workload's data."""
    path = path.rstrip("/") or "/"
    return path == "/" or any(path == each or path.startswith(f"{each}/") for each in _SYSTEM)
