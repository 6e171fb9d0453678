"""The kubelet's command line on a node: from its environment files, as 10-kubeadm.conf puts them together."""

from __future__ import annotations

import re
import shlex

from cri_switch.rehearsal.filesystem import FileSystem

PAUSE = "k8s.gcr.io/pause:3.2"
FLAGS_FILE = "/var/lib/kubelet/kubeadm-flags.env"
EXTRA_FILE = "/etc/default/kubelet"
BEGIN = (
    "/usr/bin/kubelet",
    "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
    "--kubeconfig=/etc/kubernetes/kubelet.conf",
    "--config=/var/lib/kubelet/config.yaml",
)
_DOCKERSHIM = {"network-plugin", "cni-bin-dir", "cni-conf-dir", "cni-cache-dir", "docker-endpoint", "docker"}
_ALWAYS = {
    "bootstrap-kubeconfig",
    "kubeconfig",
    "config",
    "node-ip",
    "node-labels",
    "hostname-override",
    "v",
    "cgroup-driver",
    "resolv-conf",
    "fail-swap-on",
    "root-dir",
    "container-runtime-endpoint",
    "image-service-endpoint",
    "feature-gates",
    "max-pods",
    "register-with-taints",
    "runtime-cgroups",
    "kubelet-cgroups",
}


def command_line(fs: FileSystem) -> tuple[str, ...]:
    """The arguments that systemd would start the kubelet with now."""
    words = list(BEGIN)
    for path, variable in ((FLAGS_FILE, "KUBELET_KUBEADM_ARGS"), (EXTRA_FILE, "KUBELET_EXTRA_ARGS")):
        for line in (fs.text(path) or "").splitlines():
            found = re.match(rf"\s*{variable}\s*=\s*(.*)$", line)
            if found:
                value = shlex.split(found[1])
                words += shlex.split(" ".join(value))
    return tuple(words)


def flags_of(argv: tuple[str, ...]) -> dict[str, str]:
    """By name; the last one counts."""
    found, name = {}, ""
    for word in argv[1:]:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            found[name] = value if equals else "true"
        elif name:
            found[name] = word
    return found


def unknown_flag(flags: dict[str, str], minor: int) -> str:
    """The first flag that a kubelet of this minor version does not know, "" when it knows all."""
    known = set(_ALWAYS)
    if minor <= 23:
        known |= _DOCKERSHIM
    if minor <= 26:
        known.add("container-runtime")
    if minor <= 34:
        known.add("pod-infra-container-image")
    return next((name for name in flags if name not in known), "")
