"""The settings of a migration: the YAML file, the flags and the UI's form are this one model."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from cri_switch.model.access_settings import ClusterAccess, Ssh
from cri_switch.model.care_settings import Backup, Gate, Prometheus, Timeouts
from cri_switch.model.node_settings import Drain, Kubelet, Target
from cri_switch.model.section import Section
from cri_switch.model.window import Window

__all__ = [
    "Backup", "Choice", "ClusterAccess", "Drain", "Gate", "Kubelet", "Metadata", "Migration", "Percent", "Prometheus",
    "Spec", "Ssh", "Target", "Timeouts",
]  # fmt: skip

_STEP = r"([1-9][0-9]{0,4}|([1-9][0-9]?|100)%)"
_RAMP = rf"^{_STEP}(, ?{_STEP})*$"
Percent = Annotated[str, Field(pattern=r"^(100|[1-9]?[0-9])%$")]


class Metadata(Section):
    """What the migration is called: the deployments carry this name."""

    name: str = Field(
        description="Name of this migration and of its deployments", pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
    )


class Choice(Section):
    """Which nodes."""

    limit: list[str] = Field(default_factory=list, description="Only these nodes (names or globs)")
    exclude: list[str] = Field(default_factory=list, description="Not these nodes (names or globs)")
    selector: str = Field(default="", description="Only nodes with these labels, as `kubectl get nodes -l`")
    role: Literal["control-plane", "worker"] | None = Field(default=None, description="Only nodes of this role")


class Spec(Section):
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


class Migration(Section):
    """A migration of one cluster: apiVersion, kind, metadata, spec."""

    apiVersion: Literal["cri-switch/v1alpha1"] = "cri-switch/v1alpha1"  # noqa: N815 (Kubernetes' spelling)
    kind: Literal["Migration"] = "Migration"
    metadata: Metadata
    spec: Spec
