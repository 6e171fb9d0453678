"""Whether the pods of a batch find room on the other nodes while it is out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cri_switch.checks.owner import Obj
from cri_switch.checks.pods import drained, name_of, some
from cri_switch.checks.quantity import quantity
from cri_switch.model.finding import Finding
from cri_switch.model.label_selector import expression_holds

CHECKED = (
    "checked: requests of cpu, memory and other resources against what is allocatable, the number of pods, cordons, "
    "taints, node selectors, required node affinity; not checked: pod affinity and topology spread, volumes, host "
    "ports, priorities, quotas, what autoscalers do"
)
Resources = dict[str, float]


@dataclass
class _Room:
    """What is left on a node."""

    name: str
    labels: Mapping[str, str]
    taints: Sequence[Mapping[str, str]]
    free: Resources = field(default_factory=dict)

    def holds(self, need: Resources) -> bool:
        return all(self.free.get(name, 0.0) >= amount for name, amount in need.items() if amount > 0)

    def take(self, need: Resources) -> None:
        for name, amount in need.items():
            self.free[name] = self.free.get(name, 0.0) - amount


def check_capacity(batches: Sequence[Collection[str]], nodes: Iterable[Obj], pods: Sequence[Obj]) -> list[Finding]:
    """A warning for each batch (names of nodes) with pods that fit nowhere else: they wait until it is back.

    The largest pods are placed first, each on the first node with room; requests only, as the scheduler does.
    """
    by_node: dict[str, list[Obj]] = {}
    for pod in pods:
        if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
            by_node.setdefault((pod.get("spec") or {}).get("nodeName") or "", []).append(pod)
    rooms = [_room(node, by_node.get(node["metadata"]["name"], [])) for node in nodes if _usable(node)]
    eligible = _Eligible(rooms)
    findings = []
    for number, batch in enumerate(batches, 1):
        names = set(batch)
        leaving = drained((pod for name in names for pod in by_node.get(name, [])), names)
        findings += _check(number, names, leaving, eligible)
    return findings


class _Eligible:
    """The nodes that a pod may run on; pods that ask for the same are asked for once."""

    def __init__(self, rooms: Sequence[_Room]) -> None:
        self._rooms = rooms
        self._known: dict[str, list[_Room]] = {}
        self.most: Resources = {}
        for room in rooms:
            for name, amount in room.free.items():
                self.most[name] = max(self.most.get(name, 0.0), amount)

    def rooms(self, pod: Obj, key: str) -> list[_Room]:
        if key not in self._known:
            self._known[key] = [room for room in self._rooms if fits(pod, room.labels, room.taints)]
        return self._known[key]


def _check(number: int, batch: Collection[str], leaving: Sequence[Obj], eligible: _Eligible) -> list[Finding]:
    touched: dict[str, tuple[_Room, Resources]] = {}
    tried: dict[str, int] = {}
    nowhere, full = [], []
    needs = sorted(((pod_requests(pod), pod) for pod in leaving), key=lambda each: -each[0].get("memory", 0.0))
    for need, pod in needs:
        key = _key(pod)
        rooms = eligible.rooms(pod, key)
        target = None
        if all(eligible.most.get(name, 0.0) >= amount for name, amount in need.items() if amount > 0):
            # what the same need did not find room in before has none now either
            alike = f"{key} {sorted(need.items())}"
            start = tried.get(alike, 0)
            found = (i for i in range(start, len(rooms)) if rooms[i].name not in batch and rooms[i].holds(need))
            tried[alike] = next(found, len(rooms))
            target = rooms[tried[alike]] if tried[alike] < len(rooms) else None
        if target is not None:
            touched.setdefault(target.name, (target, dict(target.free)))
            target.take(need)
        elif any(room.name not in batch for room in rooms):
            full.append(name_of(pod))
        else:
            nowhere.append(name_of(pod))
    for room, free in touched.values():
        room.free = free
    return _finding(number, sorted(batch), len(leaving), full, nowhere)


def _key(pod: Obj) -> str:
    """The same for pods that may run on the same nodes."""
    spec = pod.get("spec") or {}
    affinity = (spec.get("affinity") or {}).get("nodeAffinity")
    return json.dumps([spec.get("nodeSelector"), affinity, spec.get("tolerations")], sort_keys=True)


def _finding(
    number: int, batch: Sequence[str], leaving: int, full: Sequence[str], nowhere: Sequence[str]
) -> list[Finding]:
    parts = [f"no room for {some(full)}"] if full else []
    parts += [f"no other node may run {some(nowhere)}"] if nowhere else []
    if not parts:
        return []
    return [
        Finding(
            "warning",
            "BatchDoesNotFit",
            f"batch {number} ({some(batch)}): {len(full) + len(nowhere)} of {leaving} pods wait until it is back: "
            + "; ".join(parts),
            node=batch[0] if len(batch) == 1 else "",
            object=f"batch {number}",
            detail=f"pods: {', '.join(sorted([*full, *nowhere]))}; {CHECKED}",
            remedy="add a node, scale something down, or lower spec.max_unavailable",
        )
    ]


def pod_requests(pod: Obj) -> Resources:
    """What the scheduler counts: containers together, or the largest init container; overhead; one of `pods`."""
    spec = pod.get("spec") or {}
    total: Resources = {"pods": 1.0}
    for container in spec.get("containers") or []:
        for name, amount in _requests(container).items():
            total[name] = total.get(name, 0.0) + amount
    for container in spec.get("initContainers") or []:
        for name, amount in _requests(container).items():
            total[name] = max(total.get(name, 0.0), amount)
    for name, amount in (spec.get("overhead") or {}).items():
        total[name] = total.get(name, 0.0) + quantity(amount)
    return total


def _requests(container: Obj) -> Resources:
    given = (container.get("resources") or {}).get("requests") or {}
    return {name: quantity(amount) for name, amount in given.items()}


def fits(pod: Obj, labels: Mapping[str, str], taints: Sequence[Mapping[str, str]]) -> bool:
    """Whether the node selector, the required node affinity and the tolerations let it run there."""
    spec = pod.get("spec") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []
    if terms and not any(
        all(expression_holds(e, labels) for e in term.get("matchExpressions") or []) for term in terms
    ):
        return False
    hard = [taint for taint in taints if taint.get("effect") in ("NoSchedule", "NoExecute")]
    return all(any(_tolerates(each, taint) for each in spec.get("tolerations") or []) for taint in hard)


def _tolerates(toleration: Mapping[str, str], taint: Mapping[str, str]) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and (toleration.get("value") or "") == (taint.get("value") or "")


def _usable(node: Obj) -> bool:
    ready = [c["status"] for c in (node.get("status") or {}).get("conditions") or [] if c["type"] == "Ready"]
    return not (node.get("spec") or {}).get("unschedulable") and ready == ["True"]


def _room(node: Obj, pods: Iterable[Obj]) -> _Room:
    metadata = node["metadata"]
    free = {name: quantity(amount) for name, amount in ((node.get("status") or {}).get("allocatable") or {}).items()}
    room = _Room(metadata["name"], metadata.get("labels") or {}, (node.get("spec") or {}).get("taints") or [], free)
    for pod in pods:
        room.take(pod_requests(pod))
    return room
