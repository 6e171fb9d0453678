"""The settings of a migration: the YAML file, the flags and the UI's form are this one model."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cri_switch.model.window import Window

_STEP = r"([1-9][0-9]{0,4}|([1-9][0-9]?|100)%)"
_RAMP = rf"^{_STEP}(, ?{_STEP})*$"
Percent = Annotated[str, Field(pattern=r"^(100|[1-9]?[0-9])%$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Metadata(_Section):
    """What the migration is called: the deployments carry this name."""

    name: str = Field(
        description="Name of this migration and of its deployments", pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
    )


class ClusterAccess(_Section):
    """How the Kubernetes API is reached."""

    kubeconfig: str = Field(
        description="Path of a kubeconfig with the rights of deployments/rbac.yaml, where the worker runs"
    )
    context: str | None = Field(default=None, description="Context in it; the current one by default")


class Ssh(_Section):
    """How the nodes are reached. Secrets are files on the worker, never values here."""

    user: str = Field(
        default="", description="User on the nodes, with deployments/sudoers; by default what ssh_config says"
    )
    port: int | None = Field(
        default=None, ge=1, le=65535, description="Port of sshd; by default what ssh_config says, or 22"
    )
    config_file: str = Field(default="~/.ssh/config", description="ssh_config that names the nodes")
    inventory: str | None = Field(
        default=None,
        description="Ansible or Kubespray inventory (YAML, INI, or its directory): addresses, users, keys, jumps",
    )
    identity_file: str | None = Field(default=None, description="Private key; by default ssh_config's and the agent's")
    known_hosts: str = Field(default="~/.ssh/known_hosts", description="Host keys of the nodes")
    host_keys: Literal["strict", "accept-new"] = Field(
        default="strict", description="accept-new learns unknown hosts; a changed key is always refused"
    )
    connect_timeout: float = Field(default=15, gt=0, le=300, description="Seconds until a node counts as unreachable")
    transport: Literal["ssh", "memory"] = Field(
        default="ssh",
        description="memory reaches simulated nodes of the same process (rehearsals); no real node",
    )


class Target(_Section):
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


class Kubelet(_Section):
    """Where the kubelet's flags are."""

    flags_file: str = Field(
        default="/var/lib/kubelet/kubeadm-flags.env",
        pattern=r"^/[A-Za-z0-9/._-]+$",
        description="File with KUBELET_KUBEADM_ARGS",
    )


class Drain(_Section):
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


class Backup(_Section):
    """What is saved before anything is touched, and where."""

    directory: str = Field(description="Directory on the worker; one below it is made per run, mode 0700", min_length=1)
    acknowledge_not_backed_up: bool = Field(
        default=False,
        description="I know that volumes and hostPath data are not in this backup",
    )
    skip: bool = Field(default=False, description="No backup at all: you have one of your own")


class Timeouts(_Section):
    """Seconds until a wait counts as failed."""

    runtime_ready: float = Field(default=120, gt=0, description="containerd's CRI answers")
    node_ready: float = Field(default=300, gt=0, description="The node reports Ready on the new runtime")
    pods_ready: float = Field(default=300, gt=0, description="The node's own pods run")
    settle: float = Field(default=600, gt=0, description="The workloads that lost a pod are whole again")
    api: float = Field(default=600, gt=0, description="The API answers again after a control-plane node")
    packages: float = Field(default=900, gt=0, description="One package operation on a node")
    images: float = Field(default=1800, gt=0, description="Carrying one node's images")


class Prometheus(_Section):
    """Alerts that hold the next nodes back; kured's names. One that cannot be asked blocks."""

    url: str = Field(pattern=r"^https?://[^@\s]+$", description="Address of Prometheus, without credentials")
    alert_filter_regexp: str = Field(default="", description="Alerts whose name matches do not block")
    firing_only: bool = Field(default=False, description="Only alerts that fire block, not those that are pending")

    @field_validator("alert_filter_regexp")
    @classmethod
    def _regexp(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as problem:
            raise ValueError(f"{text!r} is no regular expression: {problem}") from problem
        return text


class Gate(_Section):
    """Between batches: all nodes Ready, no pod newly failing, budgets as before, and nothing that blocks."""

    checks: int = Field(default=2, ge=1, le=100, description="Looks in a row that must find the cluster well")
    timeout: float = Field(default=600, gt=0, description="Seconds to wait for that; then the run ends")
    blocking_pod_selector: list[str] = Field(
        default_factory=list, description="Label selectors; a node with such a pod is not started"
    )
    prometheus: Prometheus | None = Field(default=None, description="Alerts that block")


class Choice(_Section):
    """Which nodes."""

    limit: list[str] = Field(default_factory=list, description="Only these nodes (names or globs)")
    exclude: list[str] = Field(default_factory=list, description="Not these nodes (names or globs)")
    selector: str = Field(default="", description="Only nodes with these labels, as `kubectl get nodes -l`")
    role: Literal["control-plane", "worker"] | None = Field(default=None, description="Only nodes of this role")


class Spec(_Section):
    """What to do, and how carefully."""

    cluster: ClusterAccess
    ssh: Ssh = Ssh()
    target: Target = Target()
    kubelet: Kubelet = Kubelet()
    nodes: Choice = Choice()
    drain: Drain = Drain()
    backup: Backup
    timeouts: Timeouts = Timeouts()
    max_unavailable: Annotated[int, Field(ge=1)] | Percent = Field(
        default=1, description="Workers out of service at once, number or percent (rounded down, at least 1)"
    )
    ramp: Annotated[str, Field(pattern=_RAMP)] | None = Field(
        default=None,
        description="Sizes of the first batches of workers, `1,5,20%`; the last goes on, max_unavailable is the most",
    )
    spread: str | None = Field(
        default=None,
        pattern=r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$",
        description="A label such as topology.kubernetes.io/zone: no batch has workers of two of its values",
    )
    gate: Gate = Gate()
    max_failures: int = Field(default=0, ge=0, description="Failed nodes after which no new node is started")
    remove_docker: Literal["after_migration", "after_node", "never"] = Field(
        default="after_migration", description="When Docker's packages are removed (never purged)"
    )
    dockerd_until_kubelet: bool = Field(
        default=True,
        description="dockerd stays up, proven empty, until the kubelet is Ready on the new runtime: 5 s less per node",
    )
    stage_images: bool = Field(
        default=True, description="Carry images before the drain where that does not touch Docker"
    )
    stage_parallelism: int = Field(default=4, ge=1, le=50, description="Nodes staged at once")
    allow_docker_socket: list[str] = Field(
        default_factory=list, description="Owners whose pods may mount docker.sock, as namespace/Kind/name"
    )
    ignore_preflight_errors: list[str] = Field(
        default_factory=list, description="Preflight errors to take as warnings, by name (docs/findings.md), or all"
    )
    hold_daemonsets: list[str] = Field(
        default_factory=list,
        description="Critical DaemonSets, as namespace/name: their pods stay off a node until it is proven",
    )
    allow_foreign_containers: bool = Field(
        default=False, description="Containers in Docker that are not Kubernetes' are stopped and removed too"
    )
    verify_image: str | None = Field(
        default=None, description="Image of the probe pod; by default one that the node already has"
    )
    window: Window | None = Field(default=None, description="No node is started outside of it; by default at any time")
    approval: Literal["none", "after_canary", "before_control_plane", "both"] = Field(
        default="none", description="Where the run waits for a person's yes: suspended in the UI, asked on a terminal"
    )
    node_estimate: float = Field(
        default=600, gt=0, description="Seconds that the first node is expected to take; later ones by this run's own"
    )
    dry_run: bool = Field(default=False, description="Execute the same flow, and change nothing on nodes or in the API")
    start_within: float = Field(
        default=1800, gt=0, description="Seconds after its time until which a scheduled run may still start"
    )
    migration_id: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][-a-z0-9]{0,62}$",
        description="By default made of the cluster's UID and the target, the same over runs",
    )

    @model_validator(mode="after")
    def _bounded(self) -> Spec:
        if self.ramp and "max_unavailable" not in self.model_fields_set:
            raise ValueError("ramp needs max_unavailable too: no batch is larger, and by default that is 1")
        return self

    @field_validator("hold_daemonsets")
    @classmethod
    def _daemonsets(cls, names: list[str]) -> list[str]:
        for name in names:
            if not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-.a-z0-9]*[a-z0-9])?", name):
                raise ValueError(f"{name!r} is not namespace/name")
        return list(dict.fromkeys(names))

    @field_validator("allow_docker_socket")
    @classmethod
    def _owners(cls, owners: list[str]) -> list[str]:
        for owner in owners:
            if not re.fullmatch(r"[^/\s]+/[A-Za-z]+/[^/\s]+", owner):
                raise ValueError(f"{owner!r} is not namespace/Kind/name")
        return owners


class Migration(_Section):
    """A migration of one cluster: apiVersion, kind, metadata, spec."""

    apiVersion: Literal["cri-switch/v1alpha1"] = "cri-switch/v1alpha1"  # noqa: N815 (Kubernetes' spelling)
    kind: Literal["Migration"] = "Migration"
    metadata: Metadata
    spec: Spec
