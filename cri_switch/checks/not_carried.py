"""Settings of Docker's that the new runtime does not get: told, because they stop to apply without a word."""

from __future__ import annotations

from collections.abc import Sequence

from cri_switch.checks.docker_paths import DATA_ROOT
from cri_switch.model.finding import Finding
from cri_switch.render.docker_daemon import DAEMON_JSON, DockerSettings
from cri_switch.render.registries import registries_of

_HARMLESS = frozenset(
    {"bip", "fixed-cidr", "iptables", "ip-forward", "ip-masq", "default-address-pools", "userland-proxy", "bridge",
     "hosts", "debug", "log-level", "max-concurrent-downloads", "max-concurrent-uploads", "storage-driver",
     "storage-opts", "containerd", "features", "experimental", "metrics-addr", "group", "pidfile", "exec-root"}
)  # fmt: skip
"""Docker's own network, store and daemon: without Docker they have no meaning."""


def check_not_carried(settings: DockerSettings, node: str = "", docker_root: str = "") -> list[Finding]:
    """Warnings for log rotation, another default runtime, a data root, and keys that nobody carries over.

    `docker_root` is what dockerd says where it could be asked: a flag of its own (--data-root) sets it too.
    """

    def warn(name: str, summary: str, remedy: str) -> Finding:
        return Finding("warning", name, f"{DAEMON_JSON}: {summary}", node=node, remedy=remedy)

    findings = []
    if settings.log_opts or settings.log_driver not in ("", "json-file"):
        findings.append(
            warn(
                "DockerLogOptions",
                f"log driver {settings.log_driver} and its options ({', '.join(sorted(settings.log_opts)) or 'none'})"
                " do not apply any more",
                "set containerLogMaxSize and containerLogMaxFiles in the KubeletConfiguration (10Mi and 5 by default)",
            )
        )
    if settings.default_runtime not in ("", "runc"):
        findings.append(
            warn(
                "DockerDefaultRuntime",
                f"default-runtime {settings.default_runtime} is not carried over",
                "configure it in containerd, for nvidia: nvidia-ctk runtime configure --runtime=containerd",
            )
        )
    root = docker_root or settings.data_root
    if root != DATA_ROOT and not root.startswith(f"{DATA_ROOT}/"):  # userns-remap has a directory of its own below
        findings.append(
            Finding(
                "warning",
                "DockerDataRoot",
                f"Docker's data-root is {root}; containerd keeps its images in /var/lib/containerd",
                node=node,
                remedy="see that /var/lib/containerd lies on a disk with room for the images",
            )
        )
    if inexpressible := registries_of(settings).inexpressible:
        findings.append(
            warn(
                "RegistryNotCarried",
                f"containerd has no words for these registries: {', '.join(inexpressible)}",
                "name the hosts one by one in daemon.json before the migration",
            )
        )
    unknown = [key for key in settings.unknown if key not in _HARMLESS]
    if unknown:
        findings.append(
            warn(
                "DockerSettingNotCarried",
                f"not carried over: {', '.join(sorted(unknown))}",
                "look whether containerd or the kubelet needs the like",
            )
        )
    return findings


def check_pulls_not_carried(proxy: Sequence[str], certs: Sequence[str], node: str = "") -> list[Finding]:
    """Warnings for a proxy, and for registries' certificates, that dockerd pulls with and containerd would not."""
    findings = []
    if proxy:
        findings.append(
            Finding(
                "warning",
                "DockerProxyNotCarried",
                f"dockerd pulls through a proxy ({', '.join(proxy)}), which containerd does not know",
                node=node,
                remedy="give containerd the same, with the cluster's own addresses in NO_PROXY:"
                " /etc/systemd/system/containerd.service.d/http-proxy.conf",
            )
        )
    if certs:
        findings.append(
            Finding(
                "warning",
                "RegistryCertsNotCarried",
                f"/etc/docker/certs.d has certificates for {', '.join(certs)}, which containerd does not read",
                node=node,
                remedy="add their CA to the node's own (update-ca-certificates), or name it in containerd's"
                " configuration of that registry",
            )
        )
    return findings
