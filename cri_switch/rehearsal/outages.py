"""Which nodes are out of service, and whether that many and these may be."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from cri_switch.rehearsal.pods_of import ready
from cri_switch.rehearsal.promise import Promise
from cri_switch.rehearsal.world import World

Obj = dict[str, Any]


class Outages:
    """`tell` hears of each breach; `out` has the nodes that are out of service, and by what."""

    def __init__(self, world: World, promise: Promise, held: Collection[str], tell: Callable[[str], None]) -> None:
        """`held` are nodes that an administrator had cordoned."""
        self._world, self._promise, self._held, self._tell = world, promise, held, tell
        self._workers = {
            name
            for name, machine in world.machines.items()
            if machine.role == "worker" and name not in promise.left_alone and not switched(world, name)
        }
        self._stopped: dict[str, float] = {}
        """Nodes whose kubelet is stopped, and when that one had been started."""
        self.out: dict[str, str] = {}
        self.taken: set[str] = set()
        """Every node that was ever out."""
        self.most_out = 0
        self.asked = ""
        """The node that a person has asked this run to take back: others need not be switched before."""

    def begins(self, name: str, why: str) -> bool:
        """Something takes a node out; whether it was not out already."""
        if name in self.out:
            return False
        self.out[name] = why
        self.taken.add(name)
        machines = self._world.machines
        if name in machines:
            self._judge(name, {each: machines[each].role for each in self.out})
        return True

    def stops_kubelet(self, name: str) -> None:
        """The kubelet of a node is about to be stopped."""
        self._stopped[name] = self._kubelet_started(name)

    def uncordoned(self, name: str) -> None:
        """It serves again."""
        self.out.pop(name, None)
        self._stopped.pop(name, None)

    def reported(self, node: Obj) -> None:
        """A kubelet reports: of a node that stays cordoned nothing else shows its return.

        It must be another kubelet than the one that is just being stopped.
        """
        name = node["metadata"]["name"]
        another = name in self._stopped and self._kubelet_started(name) != self._stopped[name]
        if name in self._held and another and ready(node):
            self.uncordoned(name)

    def _judge(self, name: str, roles: dict[str, str]) -> None:
        planes = [each for each, role in roles.items() if role == "control-plane"]
        workers = [each for each, role in roles.items() if role == "worker"]
        may, failures = self._promise.max_unavailable, self._promise.failures_allowed
        self.most_out = max(self.most_out, len(workers))
        if len(planes) > 1:
            self._tell(f"two control-plane nodes are out: {', '.join(planes)}")
        if len(workers) > may:
            self._tell(f"{len(workers)} workers are out ({', '.join(workers)}), {may} may be")
        if roles[name] == "control-plane" and name != self.asked:
            behind = sorted(each for each in self._workers if not switched(self._world, each))
            if len(behind) > failures:
                self._tell(f"control-plane node {name} is taken out before {', '.join(behind)}")

    def _kubelet_started(self, name: str) -> float:
        state = self._world.machines[name].systemd.states.get("kubelet.service")
        return state.started if state is not None else 0.0


def switched(world: World, name: str) -> bool:
    """Whether a node is Ready on containerd, with nothing of Kubernetes left in Docker."""
    node = world.store.get("Node", name)
    info = ((node or {}).get("status") or {}).get("nodeInfo") or {}
    left = any(box.running and box.pod for box in world.machines[name].docker.boxes.values())
    on = str(info.get("containerRuntimeVersion", "")).startswith("containerd://")
    return node is not None and ready(node) and on and not left
