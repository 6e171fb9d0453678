"""What dockerd puts into the kernel for its own network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

NETNS = "/run/docker/netns/default"
_FILTER = (
    "FORWARD -j DOCKER-USER",
    "FORWARD -j DOCKER-ISOLATION-STAGE-1",
    "FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "FORWARD -o docker0 -j DOCKER",
    "FORWARD -i docker0 ! -o docker0 -j ACCEPT",
    "FORWARD -i docker0 -o docker0 -j ACCEPT",
)
_CHAINS = (
    "DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2",
    "DOCKER-ISOLATION-STAGE-1 -j RETURN",
    "DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP",
    "DOCKER-ISOLATION-STAGE-2 -j RETURN",
    "DOCKER-USER -j RETURN",
)
_NAT = (
    "PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
    "OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
    "POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
    "DOCKER -i docker0 -j RETURN",
)


def set_up(machine: Machine) -> None:
    """Its chains, its bridge, and FORWARD's policy where it is dockerd that turns forwarding on."""
    firewall, kernel = machine.firewall, machine.kernel
    for chain in ("DOCKER", "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2", "DOCKER-USER"):
        firewall.chain("filter", chain)
    firewall.chain("nat", "DOCKER")
    for line in reversed(_FILTER[:2]):
        firewall.add("filter", line, first=True)
    for line in (*_FILTER[2:], *_CHAINS):
        firewall.add("filter", line)
    for line in _NAT:
        firewall.add("nat", line)
    if kernel.sysctls.get("net/ipv4/ip_forward") != "1":
        kernel.sysctls["net/ipv4/ip_forward"] = "1"
        firewall.policies["filter", "FORWARD"] = "DROP"
    kernel.load_bridge_netfilter()
    kernel.links.add("docker0")
    kernel.mounts.add(NETNS)
