"""Which nodes are out of service, and whether that many and these may be."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from cri_switch.rehearsal.pods_of import own, ready
from cri_switch.rehearsal.promise import Promise
from cri_switch.rehearsal.world import World

Obj = dict[str, Any]
KUBELET = "kubelet.service"


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
        self._uncordoned: set[str] = set()
        """Nodes that were put in service again before they were Ready."""
        self._begun: set[str] = set()
        """Nodes that this run has taken out."""
        self.out: dict[str, str] = {}
        self.disturbed: set[str] = set()
        """Nodes that are out by more than a cordon."""
        self.taken: set[str] = set()
        """Every node that was ever disturbed."""
        self.most_out = 0
        self._asked = ""

    def new_run(self, asked: str) -> None:
        """`asked` is the node that a person has asked it to take back: others need not be switched before."""
        self._asked = asked
        self._begun.clear()

    def cordoned(self, name: str) -> None:
        """The migration cordons a node, which is out from then on."""
        self._begun.add(name)
        if name not in self.out:
            self.out[name] = "it is cordoned"
            self._uncordoned.discard(name)
            self._judge(name)

    def begins(self, name: str, why: str) -> bool:
        """Something disturbs what runs on a node; whether nothing had, since it was in service."""
        if name not in self._world.machines:  # a pod that waits for one
            return False
        self.cordoned(name)
        if name in self.disturbed:
            return False
        self.out[name] = why
        self.taken.add(name)
        self.disturbed.add(name)
        return True

    def stops_kubelet(self, name: str) -> None:
        """The kubelet of a node is about to be stopped."""
        self._stopped[name] = self._kubelet_started(name)

    def uncordoned(self, node: Obj) -> None:
        """It serves again, if it is Ready, and else from when it is."""
        self._uncordoned.add(node["metadata"]["name"])
        self.reported(node)

    def reported(self, node: Obj) -> None:
        """A kubelet reports: of a node that stays cordoned nothing else shows its return.

        It must be another kubelet than the one that is just being stopped.
        """
        name = node["metadata"]["name"]
        another = name in self._stopped and self._kubelet_started(name) != self._stopped[name]
        runs = name in self._uncordoned and self._world.machines[name].systemd.active(KUBELET)
        if ready(node) and (runs or (name in self._held and another)):
            self.out.pop(name, None)
            self._stopped.pop(name, None)
            self.disturbed.discard(name)
            self._uncordoned.discard(name)

    def _judge(self, name: str) -> None:
        roles = {each: self._world.machines[each].role for each in self.out}
        planes = [each for each, role in roles.items() if role == "control-plane"]
        workers = [each for each, role in roles.items() if role == "worker"]
        may, failures = self._promise.max_unavailable, self._promise.failures_allowed
        self.most_out = max(self.most_out, len(workers))
        if len(planes) > 1:
            self._tell(f"two control-plane nodes are out: {', '.join(planes)}")
        if len(workers) > may:
            self._tell(f"{len(workers)} workers are out ({', '.join(workers)}), {may} may be")
        if roles[name] == "control-plane" and name != self._asked:
            behind = sorted(each for each in self._workers if not switched(self._world, each))
            if len(behind) > failures or not self._begun.issuperset(behind):
                self._tell(f"control-plane node {name} is taken out before {', '.join(behind)}")

    def _kubelet_started(self, name: str) -> float:
        state = self._world.machines[name].systemd.states.get(KUBELET)
        return state.started if state is not None else 0.0


def switched(world: World, name: str) -> bool:
    """Whether a node is Ready on containerd, with nothing of Kubernetes left in Docker."""
    node = world.store.get("Node", name)
    info = ((node or {}).get("status") or {}).get("nodeInfo") or {}
    left = any(box.running and box.pod for box in world.machines[name].docker.boxes.values())
    on = str(info.get("containerRuntimeVersion", "")).startswith("containerd://")
    return node is not None and ready(node) and on and not left


def proven(world: World, name: str) -> bool:
    """Whether a node is switched, and its own pods are Ready on it: Ready itself is not enough."""
    return switched(world, name) and all(ready(pod) for pod in own(world.store.peek("Pod"), name))
