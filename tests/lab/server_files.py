"""The text of what the lab's server runs: registry, package repository, the API's endpoint, a kube-proxy."""

from __future__ import annotations

from collections.abc import Iterable

from tests.lab.topology import API_PORT, PACKAGES_PORT, POD_NETWORK, REGISTRY_PORT, SERVER, SERVER_ADDRESS, Spec

REGISTRY_CONFIG = f"""version: 0.1
storage:
  filesystem: {{rootdirectory: /srv/registry}}
  delete: {{enabled: false}}
http: {{addr: "{SERVER_ADDRESS}:{REGISTRY_PORT}"}}
"""

PACKAGES = "/usr/local/sbin/lab-packages"
PACKAGES_MODE = "/srv/packages.mode"
# Reads its mode at every request. What hangs is answered when the mode changes, or when the client has given up.
PACKAGES_PROGRAM = f'''#!/usr/bin/python3
import http.server, time

def mode():
    try:
        with open("{PACKAGES_MODE}") as file:
            return file.read().strip()
    except OSError:
        return "ok"

class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *arguments):
        super().__init__(*arguments, directory="/srv/packages")

    def send_head(self):
        while mode() == "hang":
            time.sleep(0.2)
        if mode() == "fail":
            return self.send_error(503)
        return super().send_head()

http.server.ThreadingHTTPServer(("{SERVER_ADDRESS}", {PACKAGES_PORT}), Handler).serve_forever()
'''

SERVICES_UNIT = "lab-services.service"
SERVICES_ROOT = "/srv/kube-proxy"
ENDPOINT_CONFIG = "/etc/haproxy/lab.cfg"


def unit(description: str, command: str, more: str = "", condition: str = "") -> str:
    """A unit of the server machine, that waits for its address."""
    network = "lab-network.service"
    return (
        f"[Unit]\nDescription=Lab: {description}\nAfter={network}\nRequires={network}\n{condition}\n"
        f"[Service]\nExecStart={command}\nRestart=always\nRestartSec=1\n{more}\n[Install]\nWantedBy=multi-user.target\n"
    )


def units(control_planes: int) -> dict[str, str]:
    """All units by name; the endpoint's only where there is more than one control plane."""
    proxy = (
        f"/usr/local/bin/kube-proxy --kubeconfig=/etc/kubeconfig --hostname-override={SERVER}"
        f" --bind-address={SERVER_ADDRESS} --cluster-cidr={POD_NETWORK} --proxy-mode=iptables"
        " --conntrack-max-per-core=0"
    )
    there = f"ConditionPathExists={SERVICES_ROOT}/etc/kubeconfig\n"  # once there is a cluster
    found = {
        "lab-packages.service": unit("package repository", PACKAGES),
        "lab-registry.service": unit("image registry", "/usr/bin/docker-registry serve /etc/docker/registry/lab.yml"),
        SERVICES_UNIT: unit("kube-proxy", proxy, f"RootDirectory={SERVICES_ROOT}\nMountAPIVFS=yes\n", there),
    }
    if control_planes > 1:
        command = f"/usr/sbin/haproxy -W -db -f {ENDPOINT_CONFIG}"
        found["lab-endpoint.service"] = unit("endpoint of the API", command)
    return found


def haproxy_config(control_planes: Iterable[Spec]) -> str:
    """A stable endpoint of the API. It asks each server's /readyz over TLS every second.

    A connection that is refused goes to the next server at once; those of a server that is marked down are cut,
    because kubelets' watches would otherwise wait for a dead machine for minutes.
    """
    servers = "".join(f"    server {spec.name} {spec.address}:{API_PORT}\n" for spec in control_planes)
    return f"""global
    maxconn 4000

defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
    timeout check 2s
    retries 3
    option redispatch 1

frontend api
    bind {SERVER_ADDRESS}:{API_PORT}
    default_backend control-planes

backend control-planes
    balance roundrobin
    option httpchk GET /readyz
    http-check expect status 200
    default-server check check-ssl verify none inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{servers}"""
