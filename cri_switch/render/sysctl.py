"""What Docker used to set in the kernel, kept without it and over a reboot (peers 54)."""

from __future__ import annotations

SYSCTL_CONF = "/etc/sysctl.d/99-cri-switch.conf"
MODULES_CONF = "/etc/modules-load.d/cri-switch.conf"
MODULES = ("overlay", "br_netfilter")
SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.bridge.bridge-nf-call-iptables": "1",
    "net.bridge.bridge-nf-call-ip6tables": "1",
}
_HEADER = "# Written by cri-switch: Docker set this before, containerd does not. Kubernetes needs it.\n"


def sysctl_conf() -> str:
    """Text of a file in /etc/sysctl.d."""
    return _HEADER + "".join(f"{name} = {value}\n" for name, value in SYSCTLS.items())


def modules_conf() -> str:
    """Text of a file in /etc/modules-load.d."""
    return _HEADER + "".join(f"{name}\n" for name in MODULES)
