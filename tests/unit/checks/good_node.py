"""What is known of a node in whose way nothing stands."""

from __future__ import annotations

from cri_switch.checks.state import NodeState

GOOD = NodeState(
    node="w1",
    os_id="debian",
    os_version="11",
    kubelet_version="v1.20.2",
    flags_text='KUBELET_KUBEADM_ARGS="--network-plugin=cni"\n',
    containerd_candidate="1.4.13~ds1-1~deb11u4",
)
