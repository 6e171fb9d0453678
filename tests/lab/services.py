"""kube-proxy on the lab's server: the way to Services for whoever runs in `exec`, past nodes that are switched."""

from __future__ import annotations

from tests.lab import files
from tests.lab.machine import execute, write
from tests.lab.server_files import SERVICES_ROOT, SERVICES_UNIT
from tests.lab.state import Lab


def start(lab: Lab, routes: str) -> None:
    """Give the server the pods' routes and the admin's access, and start its kube-proxy."""
    write(lab.server, files.ROUTES, routes)
    execute(lab.server, "/usr/local/sbin/lab-network")
    write(lab.server, f"{SERVICES_ROOT}/etc/kubeconfig", (lab.directory / "admin.conf").read_text())
    execute(lab.server, "systemctl", "start", SERVICES_UNIT)
