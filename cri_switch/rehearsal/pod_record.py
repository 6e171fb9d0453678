"""A kubelet's memory of a pod."""

from __future__ import annotations

from dataclasses import dataclass, field

from cri_switch.rehearsal.pod import Pod
from cri_switch.rehearsal.pod_status import Waiting
from cri_switch.rehearsal.surroundings import Obj


@dataclass
class Record:
    """What the kubelet remembers of a pod while it runs: since when, when it goes on, why it waits."""

    pod: Pod
    since: float
    next_at: float
    waiting: Waiting = field(default_factory=Waiting)
    kill_at: float | None = None
    told: Obj = field(default_factory=dict)
    seen: Obj = field(default_factory=dict)

    @property
    def rests(self) -> bool:
        """Whether nothing of it is going on: all its containers are ready, or it has ended."""
        if self.kill_at is not None or not self.told:
            return False
        if self.told["phase"] in ("Succeeded", "Failed"):
            return True
        return self.pod.exits_after is None and all(one["ready"] for one in self.told["containerStatuses"])
