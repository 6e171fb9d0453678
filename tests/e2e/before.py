"""What an administrator has done to the site, and how everything stood before the migration."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.e2e.look import cluster, ledger, node
from tests.e2e.site import Site

TAINT = "site.example/shift=night:PreferNoSchedule"
# Rules between, beside and about Docker's, none of them Docker's.
_RULES = (
    "-t filter -N SITE",
    "-t filter -A SITE -s 192.0.2.0/24 -p tcp -m tcp --dport 2375 -j REJECT --reject-with icmp-port-unreachable",
    "-t filter -A SITE -j RETURN",
    "-t filter -I INPUT 1 -j SITE",
    "-t filter -I FORWARD 1 -s 198.51.100.7/32 -j DROP",
    "-t filter -A FORWARD -i docker0 -p tcp -m tcp --dport 25 -j REJECT --reject-with icmp-port-unreachable",
    "-t filter -A FORWARD -s 203.0.113.0/24 -m comment --comment site:DOCKER-USER-was-too-late -j ACCEPT",
    "-t nat -I PREROUTING 1 -d 192.0.2.80/32 -p tcp -m tcp --dport 8088 -j DNAT --to-destination 10.77.0.2:5000",
    "-t nat -A POSTROUTING -s 198.51.100.0/24 ! -o cni0 -j MASQUERADE",
    "-t mangle -A FORWARD -s 198.51.100.0/24 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400",
)


@dataclass
class Before:
    """Everything that must be the same afterwards, or of which more must be there."""

    ledger: dict[str, list[str]] = field(default_factory=dict)
    iptables: dict[str, str] = field(default_factory=dict)
    cordoned: set[str] = field(default_factory=set)
    taints: dict[str, list[str]] = field(default_factory=dict)
    masks: dict[str, list[str]] = field(default_factory=dict)
    packages: dict[str, set[str]] = field(default_factory=dict)
    configs: dict[str, str] = field(default_factory=dict)
    attachments: dict[str, list[str]] = field(default_factory=dict)


def administer(site: Site) -> None:
    """What a site has that no pipeline made: rules of its own, a taint, a node that an administrator cordoned."""
    for name in site.nodes:
        if site.code(name, "iptables", "-w", "-n", "-L", "SITE") != 0:
            for rule in _RULES:
                site.root(name, "iptables", "-w", *rule.split())
    site.kubectl("taint", "node", site.workers[-1], TAINT, "--overwrite")
    site.kubectl("cordon", site.control_plane)


def look(site: Site) -> Before:
    """Take everything down."""
    seen = Before(ledger.lines(site), cordoned=cluster.cordoned(site), taints=cluster.taints(site))
    for name in site.nodes:
        seen.iptables[name] = node.iptables(site, name)
        seen.masks[name] = node.masks(site, name)
        seen.packages[name] = node.installed(site, name)
        seen.configs[name] = site.read(name, "/etc/containerd/config.toml") or ""
        seen.attachments[name] = node.dockershim_attachments(site, name)
    return seen
