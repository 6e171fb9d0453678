"""The text of what the lab writes into its machines: pure, one function a file."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tests.lab.topology import (
    GATEWAY,
    METADATA,
    PACKAGES_PORT,
    POD_NETWORK,
    PREFIX,
    REGISTRY_PORT,
    SERVER_ADDRESS,
    Spec,
)

REGISTRY = f"{SERVER_ADDRESS}:{REGISTRY_PORT}"
KEYRING = "/usr/share/keyrings/cri-switch-lab.gpg"
FORWARD_RULES = (f"-s {POD_NETWORK} -j ACCEPT", f"-d {POD_NETWORK} -j ACCEPT")

# nspawn mounts the cgroups read-only and keeps mounts from spreading; a plain remount of a controller says busy.
REMOUNT_UNIT = """[Unit]
Description=Lab: cgroups writable, mounts shared
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'mount -o remount,rw /sys/fs/cgroup; \\
  for d in /sys/fs/cgroup/*/; do mount -o remount,bind,rw "$d" || true; done; mount --make-rshared /'

[Install]
WantedBy=sysinit.target
"""

# networkd waits for udev where /sys is writable, for ever.
NETWORK_UNIT = """[Unit]
Description=Lab: address, routes and the CNI's FORWARD rules
DefaultDependencies=no
After=lab-remount.service local-fs.target
Before=network.target network-online.target ssh.service docker.service kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/lab-network

[Install]
WantedBy=multi-user.target
"""

# The routes file is written once the nodes' pod networks are known.
ROUTES = "/etc/lab/routes"

SSHD_CONFIG = """PasswordAuthentication no
PermitRootLogin no
UseDNS no
"""


def hosts(machines: Iterable[Spec]) -> str:
    """Every machine knows every name: a kubelet that must ask a nameserver for its own waits 20 s."""
    lines = ["127.0.0.1 localhost", *(f"{spec.address} {spec.name}" for spec in machines)]
    return "\n".join(lines) + "\n"


def network_script(spec: Spec) -> str:
    """Address and routes; on a node also what a CNI sets up, because Docker's FORWARD policy is DROP."""
    lines = [
        "#!/bin/sh -e",
        "ip link set lo up",
        "ip link set host0 up",
        f"ip addr replace {spec.address}/{PREFIX} dev host0",
        f"ip route replace default via {GATEWAY}",
        "# the kubelet asks for cloud credentials first; a black hole would cost 6 s at every start",
        f"ip route replace unreachable {METADATA}",
    ]
    lines += [
        f"if [ -f {ROUTES} ]; then",
        f'  while read -r network via; do ip route replace "$network" via "$via"; done < {ROUTES}',
        "fi",
    ]
    if spec.is_node:
        lines += [
            *(f"iptables -w -C FORWARD {rule} 2>/dev/null || iptables -w -A FORWARD {rule}" for rule in FORWARD_RULES),
        ]
    else:
        lines.append("echo 1 > /proc/sys/net/ipv4/ip_forward")  # its kube-proxy passes Services' packets on
    return "\n".join(lines) + "\n"


def daemon_json(cgroup_driver: str) -> str:
    """As on a site with a registry of its own: all of it is for the migration to carry over."""
    settings = {
        "exec-opts": [f"native.cgroupdriver={cgroup_driver}"],
        "insecure-registries": [REGISTRY],
        "registry-mirrors": [f"http://{REGISTRY}"],
        "log-driver": "json-file",
        "log-opts": {"max-size": "10m", "max-file": "3"},
        "default-address-pools": [{"base": "10.200.0.0/16", "size": 24}],
    }
    return json.dumps(settings, indent=2) + "\n"


def sources_list(suite: str, debian: int) -> str:
    """A node's only package source."""
    return f"deb [signed-by={KEYRING}] http://{SERVER_ADDRESS}:{PACKAGES_PORT}/debian{debian} {suite} main\n"


def cni_conflist(pod_network: str) -> str:
    """bridge, host-local and portmap: what a small CNI installs on a node."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": pod_network}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "0.3.1", "name": "lab", "plugins": [bridge, portmap]}, indent=2) + "\n"


def routes(nodes: Iterable[tuple[str, str]], own_address: str) -> str:
    """Lines of "pod-network via-address" for every node but one's own."""
    return "".join(f"{network} {address}\n" for network, address in nodes if address != own_address)
