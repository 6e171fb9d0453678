"""The pod network of a node: bridge, host-local and portmap, as the lab's conflist has them."""

from __future__ import annotations

import base64
import ipaddress
import json

from cri_switch.rehearsal.cni_rules import host_port, masquerade
from cri_switch.rehearsal.filesystem import FileSystem
from cri_switch.rehearsal.firewall import Firewall
from cri_switch.rehearsal.pod import Pod
from cri_switch.render.cni_iptables import pod_chains

NETWORK = "lab"
HELD = f"/var/lib/cni/networks/{NETWORK}"
PLUGINS = ("bridge", "host-local", "portmap", "loopback")


def conflist(cidr: str) -> str:
    """The configuration in /etc/cni/net.d."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": cidr}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "0.4.0", "name": NETWORK, "plugins": [bridge, portmap]}, indent=2) + "\n"


class NetworkRefuses(Exception):
    """A pod cannot be attached: the kubelet's words for it."""


class PodNetwork:
    """Addresses are held in files named by them; hostPorts are rules; both name the sandbox."""

    def __init__(self, fs: FileSystem, firewall: Firewall, firewall6: Firewall, cidr: str) -> None:
        self._fs, self._firewall, self._firewall6 = fs, firewall, firewall6
        self.cidr = cidr
        self._last = 1

    def ready(self, conf_dir: str) -> bool:
        """Whether a network is configured."""
        return any(name.endswith((".conf", ".conflist")) for name in self._fs.names(conf_dir))

    def holds(self, address: str) -> bool:
        """Whether an address is of this node's range."""
        return ipaddress.ip_address(address) in ipaddress.ip_network(self.cidr)

    def attach(self, owner: str, pod: Pod, *, cache: str, bin_dir: str, conf_dir: str) -> str:
        """CNI ADD; answers the address. Raises NetworkRefuses."""
        if not self.ready(conf_dir):
            raise NetworkRefuses(f"cni config uninitialized: no networks found in {conf_dir}")
        missing = [name for name in ("bridge", "portmap") if not self._fs.exists(f"{bin_dir}/{name}")]
        if missing:
            raise NetworkRefuses(f'failed to find plugin "{missing[0]}" in path [{bin_dir}]')
        address = self._address()
        self._fs.put(f"{HELD}/{address}", f"{owner}\r\neth0")
        self._fs.put(f"{HELD}/last_reserved_ip.0", address)
        rules = [*masquerade(NETWORK, owner, address, self.cidr)]
        for port in pod.ports:
            rules += host_port(NETWORK, owner, address, self.cidr, port)
        for rule in rules:
            self._firewall.add("nat", rule)
        self._fs.put(f"{cache}/results/{NETWORK}-{owner}-eth0", self._cached(owner, pod, address, conf_dir), 0o600)
        return address

    def loopback(self, owner: str, pod: Pod, cache: str, address: str) -> None:
        """libcni's note of the pod's lo."""
        config = {"cniVersion": "0.2.0", "name": "cni-loopback", "plugins": [{"type": "loopback"}]}
        self._fs.put(
            f"{cache}/results/cni-loopback-{owner}-eth0",
            self._file(owner, pod, config, "cni-loopback", {"cniVersion": "0.2.0", "ip4": {"ip": f"{address}/8"}}, {}),
            0o600,
        )

    def detach(self, owner: str, cache: str, *, netns: bool = True) -> None:
        """CNI DEL of the whole list, and libcni's notes go; `netns`: the sandbox's network namespace is there still."""
        self.unmap(owner)
        self.release(owner, netns=netns)
        for name in self._fs.names(f"{cache}/results"):
            if f"-{owner}-" in name:
                self._fs.remove(f"{cache}/results/{name}")

    def unmap(self, owner: str) -> None:
        """portmap's DEL; it looks at the other family too, and that one's table is there from then on (seen)."""
        self._firewall6.use("nat")
        self._firewall.drop_where("nat", "CNI-HOSTPORT-DNAT", owner)
        self._firewall.drop_chain("nat", pod_chains(NETWORK, owner)[1])

    def release(self, owner: str, *, netns: bool) -> None:
        """bridge's DEL, with host-local's: without the network namespace the rules of ipMasq stay (seen)."""
        for name in self._fs.names(HELD):
            if name[0].isdigit() and (self._fs.text(f"{HELD}/{name}") or "").startswith(owner):
                self._fs.remove(f"{HELD}/{name}")
        if netns:
            self._firewall.drop_where("nat", "POSTROUTING", owner)
            self._firewall.drop_chain("nat", pod_chains(NETWORK, owner)[0])

    def _address(self) -> str:
        hosts = ipaddress.ip_network(self.cidr)
        held = set(self._fs.names(HELD))
        for step in range(1, hosts.num_addresses):
            number = 2 + (self._last - 1 + step - 1) % (hosts.num_addresses - 3)
            address = str(hosts[number])
            if address not in held:
                self._last = number
                return address
        raise NetworkRefuses(f"failed to allocate for range 0: no IP addresses available in range set: {self.cidr}")

    def _cached(self, owner: str, pod: Pod, address: str, conf_dir: str) -> str:
        first = next(name for name in self._fs.names(conf_dir) if name.endswith((".conf", ".conflist")))
        config = json.loads(self._fs.text(f"{conf_dir}/{first}") or "{}")
        ports = [{"hostPort": host, "containerPort": inside, "protocol": kind} for host, inside, kind in pod.ports]
        result = {"cniVersion": "0.4.0", "ips": [{"version": "4", "address": f"{address}/24"}], "dns": {}}
        return self._file(owner, pod, config, NETWORK, result, {"portMappings": ports} if ports else {})

    def _file(
        self, owner: str, pod: Pod, config: object, network: str, result: object, capabilities: dict[str, object]
    ) -> str:
        args = [
            ["IgnoreUnknown", "1"],
            ["K8S_POD_NAMESPACE", pod.namespace],
            ["K8S_POD_NAME", pod.name],
            ["K8S_POD_INFRA_CONTAINER_ID", owner],
        ]
        cached = {
            "kind": "cniCacheV1",
            "containerId": owner,
            "config": base64.b64encode(json.dumps(config).encode()).decode(),
            "ifName": "eth0",
            "networkName": network,
            "cniArgs": args,
            "result": result,
        }
        if capabilities:
            cached["capabilityArgs"] = capabilities
        return json.dumps(cached, separators=(",", ":"))
