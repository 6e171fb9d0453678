"""The iptables rules (table nat) that bridge and portmap add for a pod, as `iptables-save` has them: pure."""

from __future__ import annotations

from cri_switch.render.cni_iptables import pod_chains

_SHARED = (
    "PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
    "OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
    'POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ',
    "CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE",
    'CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000',
)
"""portmap's rules that all pods share; they stay when the last of them goes."""


def masquerade(network: str, owner: str, address: str, cidr: str) -> tuple[str, ...]:
    """bridge's, with ipMasq."""
    chain = pod_chains(network, owner)[0]
    note = f'-m comment --comment "name: \\"{network}\\" id: \\"{owner}\\""'
    return (
        f"POSTROUTING -s {address}/32 {note} -j {chain}",
        f"{chain} -d {cidr} {note} -j ACCEPT",
        f"{chain} ! -d 224.0.0.0/4 {note} -j MASQUERADE",
    )


def host_port(network: str, owner: str, address: str, cidr: str, port: tuple[int, int, str]) -> tuple[str, ...]:
    """portmap's for one hostPort: (on the host, inside, protocol)."""
    host, inside, protocol = port
    chain = pod_chains(network, owner)[1]
    note = f'dnat name: \\"{network}\\" id: \\"{owner}\\"'
    match = f'-p {protocol} -m comment --comment "{note}" -m multiport --dports {host}'
    rule = f"-p {protocol} -m {protocol} --dport {host}"
    return (
        *_SHARED,
        f"CNI-HOSTPORT-DNAT {match} -j {chain}",
        *(f"{chain} -s {source} {rule} -j CNI-HOSTPORT-SETMARK" for source in (cidr, "127.0.0.1/32")),
        f"{chain} {rule} -j DNAT --to-destination {address}:{inside}",
    )
