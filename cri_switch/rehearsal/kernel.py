"""What of a node's kernel is looked at: sysctls, modules, links, mounts, and the files of /proc that show them."""

from __future__ import annotations

BRIDGE = ("net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables")


class Kernel:
    """A new one after each boot."""

    def __init__(self, boot_id: str) -> None:
        self.boot_id = boot_id
        self.links = {"lo", "host0"}
        self.mounts = {"/", "/proc", "/sys", "/run"}
        self.filesystems = {"ext4", "proc", "sysfs", "tmpfs", "overlay"}
        self.sysctls = {"net/ipv4/ip_forward": "0"}

    def load_bridge_netfilter(self) -> None:
        """br_netfilter; loaded it sets both to 1."""
        for key in BRIDGE:
            self.sysctls.setdefault(key, "1")

    def read(self, path: str) -> bytes | None:
        """A file of /proc that is not a process's; None where there is none."""
        if path == "/proc/sys/kernel/random/boot_id":
            return f"{self.boot_id}\n".encode()
        if path in ("/proc/self/mounts", "/proc/mounts"):
            return "".join(f"none {point} tmpfs rw 0 0\n" for point in sorted(self.mounts)).encode()
        if path == "/proc/filesystems":
            return "".join(f"nodev\t{name}\n" for name in sorted(self.filesystems)).encode()
        value = self.sysctls.get(path.removeprefix("/proc/sys/"))
        return None if value is None else f"{value}\n".encode()

    def set_all(self, conf: str) -> None:
        """`sysctl -p`: `net.ipv4.ip_forward = 1` and its like."""
        for line in conf.splitlines():
            name, equals, value = line.partition("=")
            if equals and not name.lstrip().startswith("#"):
                self.sysctls[name.strip().replace(".", "/")] = value.strip()
