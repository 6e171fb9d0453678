"""Which kubelet and containerd speak the same CRI (peers 23)."""

from __future__ import annotations

import re

from cri_switch.model.finding import Finding
from cri_switch.render.version import major_minor

_CNI_BUG = re.compile(r"(?:\d+:)?v?1\.6\.[0-3](?![0-9])")


def check_skew(node: str, kubelet_version: str, containerd_version: str) -> list[Finding]:
    """Errors for pairs that cannot work; an empty containerd version says nothing.

    From 1.26 the kubelet speaks CRI v1 only (containerd 1.6 and newer serve it), up to 1.22 v1alpha2 only (gone in
    containerd 2.0); 1.35 is the last with containerd 1.x; 1.6.0 to 1.6.3 have a fault with CNI versions.
    """
    kubelet = major_minor(kubelet_version)
    if kubelet is None:
        text = f"{node}: kubelet version {kubelet_version!r} is not known"
        remedy = f"see what the node's kubelet says: kubectl get node {node}, and kubelet --version on it"
        return [Finding("error", "UnknownVersion", text, node=node, remedy=remedy)]
    findings = []
    if kubelet >= (1, 24):
        findings.append(
            _skew(node, "NotDockershim", f"kubelet {kubelet_version} has no dockershim: Docker runs by cri-dockerd", "")
        )
    containerd = major_minor(containerd_version)
    if containerd is None:
        return findings
    pair = f"kubelet {kubelet_version} and containerd {containerd_version}"
    if kubelet >= (1, 26) and containerd < (1, 6):
        findings.append(_skew(node, "VersionSkew", f"{pair}: this kubelet needs CRI v1", "containerd 1.6.4 or newer"))
    if kubelet <= (1, 22) and containerd >= (2, 0):
        findings.append(_skew(node, "VersionSkew", f"{pair}: this kubelet needs CRI v1alpha2", "containerd 1.6 or 1.7"))
    if kubelet > (1, 35) and containerd < (2, 0):
        findings.append(
            _skew(node, "VersionSkew", f"{pair}: this kubelet needs containerd 2", "containerd 2.0 or newer")
        )
    if containerd < (1, 3):
        findings.append(_skew(node, "VersionSkew", f"{pair}: containerd is too old", "containerd 1.4 or newer"))
    if _CNI_BUG.match(containerd_version):
        text = f"{node}: containerd {containerd_version} has a fault with CNI versions"
        findings.append(
            Finding("warning", "ContainerdCniFault", text, node=node, remedy="install containerd 1.6.4 or newer")
        )
    return findings


def _skew(node: str, name: str, text: str, needs: str) -> Finding:
    remedy = f"install {needs}" if needs else "leave the node out by nodes.exclude; cri-dockerd is not supported yet"
    return Finding("error", name, f"{node}: {text}", node=node, remedy=remedy)
