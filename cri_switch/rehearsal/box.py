"""A container, or a pod's sandbox; and why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

from cri_switch.rehearsal.images import Image
from cri_switch.rehearsal.pod import Pod

SANDBOX = "POD"


@dataclass
class Box:
    """One container; a sandbox's `name` is POD. `pod` is None for one that is not Kubernetes'."""

    id: str
    name: str
    image: Image
    asked: str
    pod: Pod | None = None
    sandbox_id: str = ""
    attempt: int = 0
    state: str = "running"
    pid: int = 0
    shim: int = 0
    created: float = 0.0
    started: float = 0.0
    finished: float = 0.0
    exit_code: int = 0
    ip: str = ""
    log: str = ""
    failure: str = ""
    """Why it was made and never started."""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> Pod:
        """Its pod. Raises LookupError for one that is not Kubernetes'."""
        if self.pod is None:
            raise LookupError(self.id)
        return self.pod

    @property
    def running(self) -> bool:
        """Whether a process of it lives."""
        return self.state == "running"

    @property
    def sandbox(self) -> bool:
        """Whether it is a pod's pause container."""
        return self.pod is not None and self.name == SANDBOX


class EngineRefuses(Exception):
    """A sandbox or container cannot be made: the kubelet's reason and the engine's message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason, self.message = reason, message
