"""How a node of the lab stands, seen from the machine itself: what must be the same after a rollback."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

_FILES = (
    "/var/lib/kubelet/kubeadm-flags.env /etc/containerd/config.toml /etc/crictl.yaml /etc/docker/daemon.json"
    " /etc/sysctl.d/99-cri-switch.conf /etc/modules-load.d/cri-switch.conf /etc/containerd"
)
_LOOK = f"""
for f in {_FILES}; do
  echo "file $f=$(stat -c '%U:%G %a' $f 2>/dev/null) $(sha256sum $f 2>/dev/null | cut -c1-16)"
done
for u in docker.service docker.socket containerd.service kubelet.service; do
  echo "unit $u=$(systemctl is-active $u) $(systemctl is-enabled $u 2>/dev/null)"
done
echo "held=$(apt-mark showhold | tr '\\n' ' ')"
echo "manual=$(apt-mark showmanual | grep -E '^(containerd|runc)' | tr '\\n' ' ')"
echo "packages=$(dpkg-query -W -f '${{Package}}:${{db:Status-Abbrev}} ' 'docker*' 'containerd*' 'runc*' 2>/dev/null)"
echo "forward=$(iptables-save | grep -o '^:FORWARD [A-Z]*' | tr '\\n' ' ')"
echo "sysctl=$(sysctl -n net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables | tr '\\n' ' ')"
"""
_TASKS = """
c=$(systemctl show -p FragmentPath --value containerd.service)
[ -n "$c" ] && systemctl is-active -q containerd && ctr -n k8s.io tasks ls -q | sed 's/^/k8s.io=/'
pgrep -a containerd-shim | grep -o 'namespace k8s.io -id [0-9a-f]*' | sed 's/^/shim=/'
docker ps --format '{{.Label "io.kubernetes.pod.name"}}/{{.Label "io.kubernetes.container.name"}}' | sed 's/^/docker=/'
"""
_LABELS = ("pod.namespace", "pod.name", "container.name")
_DOCKER = ("docker", "ps", "--format", "/".join(f'{{{{.Label "io.kubernetes.{label}"}}}}' for label in _LABELS))


def root(lab: str, node: str, *argv: str) -> str:
    """A command as root on the machine, by the lab's own way in."""
    words = [sys.executable, "-m", "tests.lab", "root", "--name", lab, node, "--", *argv]
    return subprocess.run(words, check=False, capture_output=True, text=True).stdout


def standing(lab: str, node: str) -> dict[str, str]:
    """Files, units, packages, firewall policy, sysctls."""
    rows = (line.partition("=") for line in root(lab, node, "sh", "-c", _LOOK).splitlines())
    return {key: value for key, _equals, value in rows if key}


def runs_once(lab: str, node: str) -> dict[str, int]:
    """Containers of Kubernetes' by runtime; `twice` counts those that Docker runs more than once."""
    lines = [line.partition("=") for line in root(lab, node, "sh", "-c", _TASKS).splitlines()]
    docker = Counter(name for kind, _equals, name in lines if kind == "docker" and not name.endswith("/POD"))
    return {
        "containerd": sum(1 for kind, _equals, _name in lines if kind in ("k8s.io", "shim")),
        "docker": sum(docker.values()),
        "twice": sum(1 for count in docker.values() if count > 1),
    }


def docker_containers(lab: str, node: str) -> Counter[str]:
    """Running containers of Kubernetes' in Docker, namespace/pod/container, without the pauses and the CronJob's."""
    names = root(lab, node, *_DOCKER).split()
    return Counter(name for name in names if name.strip("/") and not name.endswith("/POD") and "/minutely-" not in name)
