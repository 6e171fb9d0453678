"""Firewall, links and mounts of the node that Docker takes part in."""

from __future__ import annotations

from cri_switch.node.command import plain, sudo
from cri_switch.node.fact import Fact

IPTABLES: Fact[str] = Fact("iptables rules", sudo("iptables-save"), lambda result: result.stdout)
IP6TABLES: Fact[str] = Fact("ip6tables rules", sudo("ip6tables-save"), lambda result: result.stdout)

LINKS: Fact[frozenset[str]] = Fact(
    "network links",
    plain("ls", "-1", "/sys/class/net"),
    lambda result: frozenset(result.stdout.split()),
)

MOUNT_POINTS: Fact[tuple[str, ...]] = Fact(
    "mount points",
    plain("cat", "/proc/self/mounts"),
    lambda result: tuple(line.split()[1] for line in result.stdout.splitlines() if len(line.split()) > 1),
)


def sysctl_values(keys: tuple[str, ...]) -> Fact[dict[str, str]]:
    """Values of kernel settings; a key that the kernel does not have (br_netfilter not loaded) is left out."""
    paths = tuple(f"/proc/sys/{key.replace('.', '/')}" for key in keys)

    def parse(text: str) -> dict[str, str]:
        found = {}
        for line in text.splitlines():
            path, colon, value = line.partition(":")
            if colon and path in paths:
                found[keys[paths.index(path)]] = value.strip()
        return found

    command = plain("grep", "-s", "-H", ".", "--", *paths, ok=(0, 1, 2))
    return Fact("sysctl values", command, lambda result: parse(result.stdout))


FILESYSTEMS: Fact[frozenset[str]] = Fact(
    "filesystems that the kernel knows",
    plain("cat", "/proc/filesystems"),
    lambda result: frozenset(line.split()[-1] for line in result.stdout.splitlines() if line.split()),
)
