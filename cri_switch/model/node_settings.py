"""What is done on a node: the runtime, the kubelet's flags, the drain."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cri_switch.model.section import Section


class Target(Section):
    """The runtime to switch to."""

    runtime: Literal["containerd"] = Field(default="containerd", description="Target container runtime")
    package: str = Field(
        default="containerd", pattern=r"^[a-z0-9][a-z0-9+.-]+$", description="Its package in the distribution"
    )
    endpoint: str = Field(
        default="unix:///run/containerd/containerd.sock",
        pattern=r"^unix:///[A-Za-z0-9/._-]+$",
        description="CRI socket for the kubelet",
    )


class Kubelet(Section):
    """Where the kubelet's flags are."""

    flags_file: str = Field(
        default="/var/lib/kubelet/kubeadm-flags.env",
        pattern=r"^/[A-Za-z0-9/._-]+$",
        description="File with KUBELET_KUBEADM_ARGS",
    )


class Drain(Section):
    """kubectl drain's flags under kubectl's names. DaemonSets are ignored always: the kubelet makes their pods anew."""

    force: bool = Field(default=False, description="Also pods that no controller would replace")
    delete_emptydir_data: bool = Field(
        default=False, description="Also pods with emptyDir volumes, whose data is deleted"
    )
    disable_eviction: bool = Field(default=False, description="Delete instead of evict: bypasses PodDisruptionBudgets")
    grace_period: int = Field(default=-1, ge=-1, description="Seconds; -1 is each pod's own, 0 is at once")
    timeout: float = Field(default=600, ge=0, description="Seconds for the drain of one node; 0 is without end")
    pod_selector: str = Field(default="", description="Only pods with these labels are drained")
    skip_wait_for_delete_timeout: int = Field(
        default=0, ge=0, description="Do not wait for pods deleted longer ago than this, in seconds"
    )
