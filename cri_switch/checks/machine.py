"""The machine under the node: distribution, sudo's rule, clock, security modules, mounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cri_switch.checks.state import NodeState
from cri_switch.model.finding import Finding
from cri_switch.render.version import major_minor

_SKEW = 5.0
NEEDED_PROGRAMS = (
    "apt-mark", "cat", "chmod", "chown", "cp", "crictl", "ctr", "dd", "docker", "find", "grep", "install", "ip",
    "ip6tables", "ip6tables-save", "iptables", "iptables-save", "journalctl", "kill", "ls", "mkdir", "modprobe", "mv",
    "readlink", "rm", "sha256sum", "stat", "sysctl", "systemctl", "systemd-run", "tar", "umount",
    "/opt/cni/bin/*", "deb-systemd-helper",
)  # fmt: skip
"""What a migration runs as root: deployments/sudoers has the same."""


def check_machine(state: NodeState, say: Callable[..., Finding]) -> Iterator[Finding]:
    """Errors for another family of distributions and for a sudo rule with gaps; the rest are warnings."""
    if "debian" not in (state.os_id, *state.os_like):
        yield say(
            "error",
            "UnsupportedDistribution",
            f"{state.os_id or 'an unknown system'} {state.os_version} is not of the Debian family",
            "leave the node out by nodes.exclude",
        )
    missing = [name for name in NEEDED_PROGRAMS if state.sudo_programs is not None and name not in state.sudo_programs]
    if missing:
        yield say(
            "error",
            "SudoRuleIncomplete",
            f"sudo's rule does not allow: {', '.join(missing)}",
            "install deployments/sudoers of this version on the node",
        )
    if abs(state.clock_skew) - state.clock_error > _SKEW:
        ahead = "ahead of" if state.clock_skew > 0 else "behind"
        yield say(
            "warning",
            "ClockSkew",
            f"its clock is {abs(state.clock_skew):.0f} s {ahead} ours",
            "start a time service: timedatectl set-ntp true",
        )
    if state.selinux_enforcing:
        yield say(
            "warning",
            "SelinuxEnforcing",
            "SELinux is enforcing: containerd needs a policy, and enable_selinux in its configuration",
            "see that pods start on the first node that is switched",
        )
    version = major_minor(state.os_version)
    if state.apparmor and state.os_id == "ubuntu" and version is not None and version >= (24, 4):
        yield say(
            "warning",
            "AppArmor",
            f"AppArmor of Ubuntu {state.os_version} keeps older runc from ending containers: pods hang in Terminating",
            "install runc 1.1.13 or newer, or set disable_apparmor in containerd's configuration",
        )
    if state.stale_mounts:
        yield say(
            "warning",
            "StaleMounts",
            f"{len(state.stale_mounts)} mounts left behind in containerd's tmpmounts: it may find its store busy",
            "umount them, or reboot the node",
            detail=", ".join(state.stale_mounts),
        )
    if state.metadata_blackholed:
        yield say(
            "warning",
            "MetadataBlackholed",
            "169.254.169.254 does not answer and does not refuse: each start of the kubelet waits about 6 s for it",
            "ip route add unreachable 169.254.169.254",
        )
