"""What root sees on a machine: packages, units, processes, files."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from tests.e2e.look.iptables import lasting, policies
from tests.e2e.site import Site

FLAGS_FILE = "/var/lib/kubelet/kubeadm-flags.env"
DOCKER_PACKAGES = ("docker.io", "docker-engine", "docker-ce", "docker-ce-cli")
_UNITS = ("docker.service", "docker.socket")
# Every place where a unit can be masked, and where Debian's helper notes that it did.
_MASKS = (
    "find /etc/systemd/system /run/systemd/system -maxdepth 1 -lname /dev/null -printf '%f\\n';"
    " find /var/lib/systemd/deb-systemd-helper-masked -type f -printf '%f\\n' 2>/dev/null || true"
)
# Directories without their times: a test that hides a file and puts it back leaves these, and nothing else.
_STATE = (
    "find /etc /opt /usr/bin /usr/sbin /usr/lib/systemd /lib/systemd /var/lib/dpkg/status /var/lib/cri-switch"
    " /var/lib/kubelet/kubeadm-flags.env /var/lib/kubelet/config.yaml /var/lib/docker/image/overlay2/repositories.json"
    " /tmp /root /home -not -path '/tmp/systemd-private*' '(' -type d -printf '%p %y %m %U\\n' -o"
    " -printf '%p %y %s %m %U %i %T@\\n' ')' 2>/dev/null | LC_ALL=C sort"
)

# What staging would bring: packages, their lists, images of containerd's. Locks and half files are apt's own.
_STAGED = (
    "find /var/cache/apt/archives -name '*.deb' -printf '%p %s\n' 2>/dev/null | LC_ALL=C sort;"
    " find /var/lib/apt/lists -maxdepth 1 -type f -not -name lock -printf '%p %s\n' 2>/dev/null | LC_ALL=C sort;"
    " ctr -n k8s.io images ls -q 2>/dev/null | LC_ALL=C sort"
)

# What the pipeline makes for a while: units of its jobs, half-written files.
_OURS = (
    "(find /run -xdev -name '*cri-switch*'; find /var/lib /usr/local -maxdepth 2 -name '*cri-switch*') 2>/dev/null"
    " | LC_ALL=C sort"
)


def installed(site: Site, node: str) -> set[str]:
    """Names of packages that are installed (state ii)."""
    listed = site.root(node, "dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\\n")
    return {line.split()[1] for line in listed.splitlines() if line.startswith("ii ")}


def manual(site: Site, node: str) -> set[str]:
    return set(site.root(node, "apt-mark", "showmanual").split())


def masks(site: Site, node: str) -> list[str]:
    """Masked units, by the links themselves and by Debian's notes."""
    return sorted(site.root(node, "sh", "-c", _MASKS).split())


def alive(site: Site, node: str) -> list[str]:
    """What of Docker's lives: units that are active and are more than a script's memory, and processes."""
    found = []
    for unit in _UNITS:
        shown = site.root(node, "systemctl", "show", "-p", "ActiveState,SubState", unit)
        state = dict(line.split("=", 1) for line in shown.split())
        if state["SubState"] in ("running", "listening", "start", "auto-restart") or state["ActiveState"] == "failed":
            found.append(f"{unit}: {state['ActiveState']}/{state['SubState']}")
    for line in site.root(node, "ps", "-eo", "pid=,args=").splitlines():
        if re.search(r"\bdockerd\b|docker-proxy|-namespace moby|-n moby|/docker/containerd", line):
            found.append(line.strip())
    return found


def remains(site: Site, node: str) -> list[str]:
    """What Docker leaves and what hurts: its socket, its bridge, its mounts, links of logs into its directory."""
    script = (
        "for path in /run/docker.sock /sys/class/net/docker0; do test -e $path && echo $path; done;"
        " grep -o ' [^ ]*/docker/[^ ]* ' /proc/mounts;"
        " find /var/log/pods /var/log/containers -type l -lname '*/docker/containers/*' 2>/dev/null; true"
    )
    return site.root(node, "sh", "-c", script).split("\n")[:-1]


def moby(site: Site, node: str) -> list[str]:
    """Containers and tasks that the system's containerd keeps for Docker. No containerd is an error, not "none"."""
    containers = site.root(node, "ctr", "-n", "moby", "containers", "ls", "-q").split()
    return containers + site.root(node, "ctr", "-n", "moby", "tasks", "ls", "-q").split()


def reservations(site: Site, node: str) -> set[str]:
    """Addresses that host-local holds, of all networks."""
    script = "ls /var/lib/cni/networks/* 2>/dev/null; true"
    return set(re.findall(r"^\d+\.\d+\.\d+\.\d+$", site.root(node, "sh", "-c", script), re.MULTILINE))


def dockershim_attachments(site: Site, node: str) -> list[str]:
    """Network attachments in dockershim's libcni cache that nobody gave back (loopback has nothing to give)."""
    script = "ls /var/lib/cni/cache/results 2>/dev/null; true"
    return [name for name in site.root(node, "sh", "-c", script).split() if not name.startswith("cni-loopback")]


def iptables(site: Site, node: str) -> str:
    return site.root(node, "iptables-save")


def containerd_config(site: Site, node: str) -> dict[str, Any]:
    text = site.read(node, "/etc/containerd/config.toml")
    assert text is not None, f"{node} has no /etc/containerd/config.toml"
    return tomllib.loads(text)


def sysctls(site: Site, node: str) -> dict[str, str]:
    """What the files of sysctl.d say, the later file last; not what the kernel happens to have."""
    text = site.root(node, "sh", "-c", "cat /etc/sysctl.d/*.conf /etc/sysctl.conf")
    return dict(re.findall(r"^\s*([a-z0-9._/-]+)\s*=\s*(\S+)", text, re.MULTILINE))


def modules(site: Site, node: str) -> set[str]:
    text = site.root(node, "sh", "-c", "cat /etc/modules /etc/modules-load.d/*.conf")
    return {line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";"))}


def fingerprint(site: Site, node: str) -> dict[str, str]:
    """A machine's settings, programs and packages with their change times; to see whether anybody touched it."""
    files = site.root(node, "sh", "-c", _STATE)
    units = site.root(
        node, "systemctl", "show", "-p", "Id,ActiveState,ExecMainStartTimestamp,UnitFileState",
        "kubelet", "docker.service", "docker.socket", "containerd",
    )  # fmt: skip
    kinds, states = "--type=service,socket,timer", "--state=enabled,disabled,masked,static"  # none that is transient
    every = site.root(node, "systemctl", "list-unit-files", "--no-pager", "--no-legend", kinds, states)
    staged = site.root(node, "sh", "-c", _STAGED)
    return {
        "files": files,
        "units": units,
        "every unit": every,
        "staged": staged,
        "masks": " ".join(masks(site, node)),
        "ours": site.root(node, "sh", "-c", _OURS),
        "rules": rules(site, node),
    }


def rules(site: Site, node: str) -> str:
    """The firewall's policies and lines; what comes and goes with pods, and counters, apart."""
    saved = iptables(site, node)
    lines = [f"{chain} {policy}" for chain, policy in policies(saved).items()] + lasting(saved)
    return "\n".join(lines)
