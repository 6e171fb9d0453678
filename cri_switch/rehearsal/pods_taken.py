"""Which pods may be taken off which nodes, and by whom."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from cri_switch.rehearsal.beginnings import marked
from cri_switch.rehearsal.budgets import against_budgets
from cri_switch.rehearsal.pods_of import active, owner
from cri_switch.rehearsal.promise import Promise
from cri_switch.rehearsal.store import Event
from cri_switch.rehearsal.world import World


@dataclass
class PodsTaken:
    """`tell` hears of each breach, `begin` that a node is begun by its pods, and why; `out` says which are out now."""

    world: World
    promise: Promise
    user: str
    tell: Callable[[str], None]
    begin: Callable[[str, str], None]
    out: Callable[[], Collection[str]]

    def event(self, event: Event) -> None:
        """A change of a pod (under the store's lock)."""
        pod, old = event.object, event.before
        name, title = pod["spec"].get("nodeName", ""), f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        if event.actor == self.user and event.type == "ADDED" and name in self.promise.left_alone:
            self.tell(f"pod {title} is put on {name}, which is to be left alone")
        if event.actor == "controller" and event.type != "ADDED":
            self._restarted(name, title, event)
        if event.actor != self.user or pod["metadata"].get("namespace") == "cri-switch":
            return
        begun = bool(pod["metadata"].get("deletionTimestamp")) and event.type == "MODIFIED"
        if not (begun or event.type == "DELETED") or (old or {}).get("metadata", {}).get("deletionTimestamp"):
            return
        node = self.world.store.get("Node", name)
        if node is not None and not node["spec"].get("unschedulable"):
            self.tell(f"pod {title} is taken off {name}, which is not cordoned")
        if name in self.promise.left_alone:
            self.tell(f"pod {title} is taken off {name}, which is to be left alone")
        if owner(pod) is None and not self.promise.takes_bare:
            self.tell(f"pod {title} is taken off {name}, and nothing would replace it")
        for line in against_budgets(self.world.store, old or pod):
            self.tell(f"pod {title} is taken away against {line}")
        self.begin(name, f"pod {title} is taken off it")

    def _restarted(self, name: str, title: str, event: Event) -> None:
        """A controller changes a pod: it takes none of a DaemonSet from a node that is not begun."""
        pod, old = event.object, event.before
        taken = old is not None and active(old) and (event.type == "DELETED" or not active(pod))
        mine = taken and (owner(pod) or {}).get("kind") == "DaemonSet"
        if mine and name not in self.out() and not marked(self.world.store.get("Node", name)):
            self.tell(f"pod {title} is taken off {name} by its DaemonSet, and the node is not begun")
