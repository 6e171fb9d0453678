"""What keeps a run careful: the backup, deadlines, what must hold between batches."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from cri_switch.model.section import Section


class Backup(Section):
    """What is saved before anything is touched, and where."""

    directory: str = Field(description="Directory on the worker; one below it is made per run, mode 0700", min_length=1)
    acknowledge_not_backed_up: bool = Field(
        default=False,
        description="I know that volumes and hostPath data are not in this backup",
    )
    skip: bool = Field(default=False, description="No backup at all: you have one of your own")


class Timeouts(Section):
    """Seconds until a wait counts as failed."""

    runtime_ready: float = Field(default=120, gt=0, description="containerd's CRI answers")
    node_ready: float = Field(default=300, gt=0, description="The node reports Ready on the new runtime")
    pods_ready: float = Field(default=300, gt=0, description="The node's own pods run")
    settle: float = Field(default=600, gt=0, description="The workloads that lost a pod are whole again")
    api: float = Field(default=600, gt=0, description="The API answers again after a control-plane node")
    packages: float = Field(default=900, gt=0, description="One package operation on a node")
    images: float = Field(default=1800, gt=0, description="Carrying one node's images")


class Prometheus(Section):
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


class Gate(Section):
    """Between batches: all nodes Ready, no pod newly failing, budgets as before, and nothing that blocks."""

    checks: int = Field(default=2, ge=1, le=100, description="Looks in a row that must find the cluster well")
    timeout: float = Field(default=600, gt=0, description="Seconds to wait for that; then the run ends")
    blocking_pod_selector: list[str] = Field(
        default_factory=list, description="Label selectors; a node with such a pod is not started"
    )
    prometheus: Prometheus | None = Field(default=None, description="Alerts that block")
