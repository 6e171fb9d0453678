"""How a node stands, read by the pipeline's own facts: what must be the same on both twins after every command."""

from __future__ import annotations

from cri_switch.node.connection import Connection
from cri_switch.node.facts.docker import DOCKER_RUNNING, DOCKER_SHIMS
from cri_switch.node.facts.leftovers import K8S_SHIMS
from cri_switch.node.facts.network import IPTABLES, LINKS, sysctl_values
from cri_switch.node.facts.packages import HELD, KNOWN, MANUAL, packages
from cri_switch.node.facts.texts import texts
from cri_switch.node.facts.times import modified
from cri_switch.node.facts.units import units

UNITS = ("docker.service", "docker.socket", "containerd.service", "kubelet.service")
PATHS = (
    "/etc/containerd",
    "/etc/containerd/config.toml",
    "/etc/containerd/certs.d",
    "/etc/crictl.yaml",
    "/etc/docker/daemon.json",
    "/etc/sysctl.d/99-cri-switch.conf",
    "/etc/modules-load.d/cri-switch.conf",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/usr/bin/containerd",
    "/usr/bin/docker",
    "/var/lib/cri-switch",
    "/var/lib/docker",
)
_SYSCTLS = ("net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables")
_FLAGS = "/var/lib/kubelet/kubeadm-flags.env"


def standing(connection: Connection) -> dict[str, str]:
    """By name, in words that do not depend on the node's names, ids and versions."""
    state: dict[str, str] = {}
    for name, unit in units(*UNITS).read(connection).items():
        state[name] = f"{unit.load_state} {unit.active_state} {unit.sub_state} {unit.unit_file_state}"
    known, manual, held = packages().read(connection), MANUAL.read(connection), HELD.read(connection)
    for name in KNOWN:
        # dpkg keeps a line, `un`, of what others only name
        if name in known and known[name].status != "un" and name != "cri-tools":
            marks = [word for word, names in (("manual", manual), ("held", held)) if name in names]
            state[f"package {name}"] = " ".join([known[name].status, *marks])
    there = modified(*PATHS).read(connection)
    state |= {path: "there" if path in there else "" for path in PATHS}
    state |= sysctl_values(_SYSCTLS).read(connection)
    flags = texts(_FLAGS).read(connection).get(_FLAGS, "")
    state["kubelet's runtime"] = "remote" if "containerd.sock" in flags else "docker"
    rules = IPTABLES.read(connection).splitlines()
    state["FORWARD"] = next((line.split()[1] for line in rules if line.startswith(":FORWARD")), "")
    state["DOCKER chains"] = str(any(line.startswith(":DOCKER") for line in rules))
    state["docker0"] = str("docker0" in LINKS.read(connection))
    if state["docker.service"].split()[1] == "active":
        state["Docker runs"] = str(bool(DOCKER_RUNNING.read(connection)))
    state["Docker's shims"] = str(bool(DOCKER_SHIMS.read(connection)))
    state["containerd's shims"] = str(bool(K8S_SHIMS.read(connection)))
    return state
