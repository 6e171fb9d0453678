"""Where the pods of a batch may go, and what is left there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from cri_switch.checks.neighbours import Neighbours
from cri_switch.checks.node_fit import Resources, Terms, choice_key, chosen, fits, host_ports, pod_requests
from cri_switch.checks.owner import Obj
from cri_switch.checks.pods import name_of, some


@dataclass
class Room:
    """What is left on a node."""

    node: Obj
    free: Resources
    ports: set[tuple[str, int]] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The node's."""
        return str(self.node["metadata"]["name"])

    def holds(self, need: Resources, ports: frozenset[tuple[str, int]]) -> bool:
        """Whether so much, and these ports of the node, are free."""
        return not (ports & self.ports) and all(
            self.free.get(name, 0.0) >= amount for name, amount in need.items() if amount > 0
        )

    def take(self, pod: Obj) -> None:
        """A pod is there too."""
        for name, amount in pod_requests(pod).items():
            self.free[name] = self.free.get(name, 0.0) - amount
        self.ports |= host_ports(pod)


@dataclass
class Waiting:
    """Pods that find no place, by the reason."""

    full: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)
    nowhere: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.full) + len(self.apart) + len(self.nowhere)

    @property
    def words(self) -> str:
        """For a sentence."""
        parts = [f"no room for {some(self.full)}"] if self.full else []
        parts += [f"(anti-)affinity or topology spread leaves no node for {some(self.apart)}"] if self.apart else []
        parts += [f"no other node may run {some(self.nowhere)}"] if self.nowhere else []
        return "; ".join(parts)


class Places:
    """Where pods may go; pods that ask for the same are asked for once."""

    def __init__(
        self, nodes: Sequence[Obj], rooms: Sequence[Room], neighbours: Neighbours, tied: Mapping[str, Terms]
    ) -> None:
        self._nodes, self._rooms, self._neighbours, self._tied = nodes, rooms, neighbours, tied
        self._known: dict[str, tuple[list[Room], list[str]]] = {}
        self._most: Resources = {}
        for room in rooms:
            for name, amount in room.free.items():
                self._most[name] = max(self._most.get(name, 0.0), amount)

    def place(self, batch: Collection[str], leaving: Sequence[Obj]) -> Waiting:
        """Place all, say who waits, and put everything back as it was."""
        waiting, tried = Waiting(), dict[str, int]()
        before: dict[str, tuple[Room, Resources, set[tuple[str, int]]]] = {}
        moved: list[tuple[Obj, str, str | None]] = []
        for pod in leaving:
            self._neighbours.move(pod, pod["spec"]["nodeName"], None)
        for pod in sorted(leaving, key=lambda each: -pod_requests(each).get("memory", 0.0)):
            room = self._room(pod, batch, waiting, tried)
            moved.append((pod, pod["spec"]["nodeName"], room.name if room else None))
            if room is not None:
                before.setdefault(room.name, (room, dict(room.free), set(room.ports)))
                room.take(pod)
                self._neighbours.move(pod, None, room.name)
        for pod, source, target in moved:
            self._neighbours.move(pod, target, source)
        for room, free, ports in before.values():
            room.free, room.ports = free, ports
        return waiting

    def _room(self, pod: Obj, batch: Collection[str], waiting: Waiting, tried: dict[str, int]) -> Room | None:
        key, need, ports = choice_key(pod, self._tied), pod_requests(pod), host_ports(pod)
        rooms, domains = self._of(pod, key)
        concerned, start = self._neighbours.concern(pod), 0
        alike = f"{key} {sorted(need.items())} {sorted(ports)}"
        if not concerned:  # what the same need did not find room in before has none now either
            start = tried.get(alike, 0)
        possible = all(self._most.get(name, 0.0) >= amount for name, amount in need.items() if amount > 0)
        held = False
        for number in range(start, len(rooms) if possible else 0):
            room = rooms[number]
            if room.name not in batch and room.holds(need, ports):
                if not concerned:
                    tried[alike] = number
                    return room
                held = True
                if self._neighbours.allow(pod, room.name, domains):
                    return room
        if not concerned:
            tried[alike] = len(rooms)
        there = any(room.name not in batch for room in rooms)
        (waiting.apart if held else waiting.full if there else waiting.nowhere).append(name_of(pod))
        return None

    def _of(self, pod: Obj, key: str) -> tuple[list[Room], list[str]]:
        """The rooms it may have, and the nodes between which it is spread: also cordoned ones (kube-scheduler)."""
        if key not in self._known:
            rooms = [room for room in self._rooms if fits(pod, room.node, self._tied)]
            domains = [node["metadata"]["name"] for node in self._nodes if chosen(pod, node, self._tied)]
            self._known[key] = (rooms, domains)
        return self._known[key]
