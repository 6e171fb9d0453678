"""What must hold at every moment of a migration, judged by what happens and not by what the pipeline says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cri_switch.rehearsal.beginnings import Beginnings, marked, of_snapshot
from cri_switch.rehearsal.changes import changes, writes
from cri_switch.rehearsal.cleaning import Cleaning
from cri_switch.rehearsal.endings import endings
from cri_switch.rehearsal.node_fault import Hook, NodeFault
from cri_switch.rehearsal.outages import Outages, proven
from cri_switch.rehearsal.package_files import DOCKER
from cri_switch.rehearsal.pods_taken import PodsTaken
from cri_switch.rehearsal.promise import Promise
from cri_switch.rehearsal.store import Event
from cri_switch.rehearsal.world import World

Obj = dict[str, Any]


@dataclass
class Invariants:
    """Watches a world; `broken` has a line for each breach. Put on before faults: its hook wraps theirs."""

    world: World
    promise: Promise
    user: str = "api:system:serviceaccount:cri-switch:cri-switch"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    broken: list[str] = field(default_factory=list)
    _asked: str = ""

    def __post_init__(self) -> None:
        nodes = self.world.store.list("Node")
        self._held = {n["metadata"]["name"] for n in nodes if n["spec"].get("unschedulable")}
        self._outages = Outages(self.world, self.promise, self._held, self._break)
        self._begun = Beginnings(self.promise.window, self.now, self._break, self.promise.removes_after_node)
        self._cleaning = Cleaning(self.world, self._break)
        self._pods = PodsTaken(self.world, self.promise, self.user, self._break, self._begin, lambda: self._outages.out)
        self.world.store.subscribe(self.event)

    @property
    def most_out(self) -> int:
        """How many workers were out at once."""
        return self._outages.most_out

    @property
    def taken(self) -> set[str]:
        """Every node that was ever disturbed."""
        return self._outages.taken

    def asked_back(self, name: str) -> None:
        """A person types `rollback` for a node: the next run may begin that outside the window, and out of turn."""
        self._asked = name

    def asked_to_clean(self) -> None:
        """A person types `cleanup`: from now on Docker's data may go from nodes that are switched."""
        self._cleaning.asked = True

    def watch(self, name: str, fault: Hook) -> None:
        """See every program of a node before it runs, then let `fault` decide."""

        def hook(argv: tuple[str, ...]) -> NodeFault | None:
            with self.world.store.lock:
                self.program(name, argv)
            return fault(argv)

        self.world.machines[name].fault_hook = hook

    def program(self, name: str, argv: tuple[str, ...]) -> None:
        """A program that the pipeline runs on a node."""
        cleans = self._cleaning.program(name, argv)
        if name in self.promise.left_alone and writes(argv) and not (of_snapshot(argv) or cleans):
            self._break(f"{name} is to be left alone, and {' '.join(argv)[:120]} runs on it")
        if cleans or not changes(argv):
            return
        self._begun.program(name, argv, marked=marked(self.world.store.get("Node", name)))
        words = set(argv)
        if argv[0] == "systemd-run":
            at_work = [unit for unit, state in self.world.machines[name].systemd.states.items() if state.ends_at]
            if at_work:
                self._break(f"{name}: {' '.join(argv)[:120]} is started beside {', '.join(at_work)}")
        if argv[0] == "systemctl" and "stop" in words and "kubelet.service" in words:
            self._outages.stops_kubelet(name)
            self._begin(name, "its kubelet is stopped")
        if argv[0] == "docker" and argv[1] in ("stop", "rm", "kill"):
            self._begin(name, "its containers are stopped")
        if (
            argv[0] == "apt-get"
            and ("remove" in words or "purge" in words)
            and words & set(DOCKER)
            and "-s" not in words
        ):
            if not proven(self.world, name):
                self._break(f"Docker's packages are removed from {name}, which is not proven")
            if "purge" in words:
                self._break(f"Docker's packages are purged on {name}")

    def event(self, event: Event) -> None:
        """A change of an object (under the store's lock)."""
        if event.kind == "Pod":
            self._pods.event(event)
        elif event.kind == "Node" and event.type == "MODIFIED":
            self._node(event)
        elif event.kind == "Node" and event.actor == self.user:
            self._break(f"node {event.object['metadata']['name']} is {event.type.lower()} by the migration")
        elif event.kind == "Lease" and event.actor == self.user and _holder(event.object) != _holder(event.before):
            self._begun.new_run(self._asked)
            self._outages.new_run(self._asked)
            self._asked = ""

    def finished(self) -> list[str]:
        """At the end every node is migrated, on Docker, or untouched: a line for each that is none of these."""
        return endings(self.world, self._held, self._outages.disturbed)

    def _node(self, event: Event) -> None:
        node, old = event.object, event.before or event.object
        name = node["metadata"]["name"]
        if event.actor == self.user:
            self._begun.node(old, node)
            before, after = bool(old["spec"].get("unschedulable")), bool(node["spec"].get("unschedulable"))
            if before and not after:
                if name in self._held:
                    self._break(f"{name} was cordoned by an administrator, and is uncordoned")
                self._outages.uncordoned(node)
            elif after and not before:
                self._outages.cordoned(name)
            if name in self.promise.left_alone and _asked(node) != _asked(old):
                self._break(f"{name} is to be left alone, and its object is changed")
        elif event.actor == f"kubelet:{name}":
            self._outages.reported(node)

    def _begin(self, name: str, why: str) -> None:
        if self._outages.begins(name, why):
            self._begun.turn(name, why)

    def _break(self, text: str) -> None:
        if text not in self.broken:
            self.broken.append(text)


def _asked(node: Obj) -> Obj:
    """What is wished of a node."""
    metadata = node["metadata"]
    return {"spec": node["spec"], "labels": metadata.get("labels"), "annotations": metadata.get("annotations")}


def _holder(lease: Obj | None) -> str:
    return str(((lease or {}).get("spec") or {}).get("holderIdentity") or "")
