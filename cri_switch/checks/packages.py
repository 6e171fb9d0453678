"""Packages: what is there, what apt would install, and what would keep it from that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cri_switch.checks.state import NodeState
from cri_switch.model.finding import Finding


def check_packages(state: NodeState, say: Callable[..., Finding]) -> Iterator[Finding]:
    """Errors where the runtime cannot be installed; warnings for what is looked after or only odd."""
    if state.packages_known and not state.containerd_candidate:
        yield say(
            "error",
            "ContainerdCandidateMissing",
            "containerd is not installed and no package source has it",
            "apt-get update; apt-cache policy containerd",
        )
    if state.would_remove:
        yield say(
            "error",
            "InstallRemovesPackages",
            f"to install containerd {state.containerd_candidate} apt would remove: {', '.join(state.would_remove)}",
            "set spec.target.package to the containerd of the same source as Docker (containerd.io with docker-ce)",
        )
    if state.pending_packages:
        yield say(
            "error",
            "PackagesPending",
            f"dpkg was interrupted: {', '.join(state.pending_packages)}",
            "dpkg --configure -a; apt-get -f install",
        )
    if state.held_packages:
        yield say(
            "warning",
            "PackageHeld",
            f"held: {', '.join(state.held_packages)}; the hold is lifted where needed, then restored",
            "nothing to do, or: apt-mark unhold",
        )
    if len(state.containerd_programs) > 1:
        yield say(
            "warning",
            "TwoContainerds",
            f"more than one containerd is installed: {', '.join(state.containerd_programs)}",
            "see which one the unit starts (systemctl cat containerd), and remove the other",
        )
    if state.cri_dockerd_active:
        yield say(
            "warning",
            "CriDockerdActive",
            "cri-dockerd runs; it is not stopped by the migration",
            "systemctl disable --now cri-docker.service cri-docker.socket once the node is switched",
        )
    yield from _programs(state.missing_programs, say)


_PACKAGES = {"ping": "iputils-ping", "pgrep": "procps", "curl": "curl"}
_USE = {
    "ping": "the probe pod is asked by it whether it answers",
    "pgrep": "what is left of containers is looked for by it",
    "curl": "the API server on the node is asked by it",
}


def _programs(missing: Sequence[str], say: Callable[..., Finding]) -> Iterator[Finding]:
    """Errors: each of them would fail the node when everything else is done."""
    for name in missing:
        if name == "crictl":
            yield say(
                "error",
                "CrictlMissing",
                "crictl is not installed: what runs on the new runtime could not be proven, and the node would be taken"
                " back",
                "install crictl in /usr/local/bin or /usr/bin (package cri-tools of the Kubernetes repository)",
            )
        else:
            yield say(
                "error",
                "ProgramMissing",
                f"{name} is not installed: {_USE[name]}, and the node would be taken back",
                f"apt-get install {_PACKAGES[name]}",
            )
