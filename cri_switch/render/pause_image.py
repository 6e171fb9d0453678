"""The pause image of a Kubernetes version, where no flag names one."""

from __future__ import annotations

from cri_switch.render.version import minor_of

_BY_MINOR = {21: "3.4.1", 22: "3.5", 23: "3.6", 24: "3.7", 25: "3.8"}


def default_pause_image(kubelet_version: str) -> str:
    """kubeadm's default for that version (PauseVersion in its constants; registry.k8s.io from 1.25)."""
    minor = minor_of(kubelet_version, "kubelet version")
    if minor <= 20:
        tag = "3.2"
    elif minor <= 25:
        tag = _BY_MINOR[minor]
    else:
        tag = "3.9" if minor <= 30 else "3.10"
    return f"{'k8s.gcr.io' if minor < 25 else 'registry.k8s.io'}/pause:{tag}"
