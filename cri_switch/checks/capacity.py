"""Whether the pods of a batch find room on the other nodes while it is out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from cri_switch.checks.neighbours import Neighbours
from cri_switch.checks.node_fit import Terms
from cri_switch.checks.owner import Obj
from cri_switch.checks.places import Places, Room, Waiting
from cri_switch.checks.pods import drained, some
from cri_switch.model.finding import Finding
from cri_switch.model.quantity import quantity

CHECKED = (
    "checked: requests of cpu, memory and other resources against what is allocatable, the number of pods, cordons, "
    "taints, node selectors, required node affinity, volumes that are tied to nodes, host ports, required pod affinity "
    "and anti-affinity, topology spread (DoNotSchedule); not checked: what is only preferred, namespaceSelector, "
    "minDomains and the like, priorities, quotas, limits of attached volumes, what autoscalers do"
)


def check_capacity(
    batches: Sequence[Collection[str]],
    nodes: Sequence[Obj],
    pods: Sequence[Obj],
    tied: Mapping[str, Terms] | None = None,
) -> list[Finding]:
    """A warning for each batch (names of nodes) with pods that fit nowhere else: they wait until it is back.

    The largest pods are placed first, each on the first node that the scheduler would allow. `tied` are volumes that
    are not everywhere (tied_volumes).
    """
    running = [pod for pod in pods if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
    by_node: dict[str, list[Obj]] = {}
    for pod in running:
        by_node.setdefault((pod.get("spec") or {}).get("nodeName") or "", []).append(pod)
    rooms = [_room(node, by_node.get(node["metadata"]["name"], [])) for node in nodes if _usable(node)]
    places = Places(nodes, rooms, Neighbours(nodes, running), tied or {})
    findings = []
    for number, batch in enumerate(batches, 1):
        leaving = drained((pod for name in batch for pod in by_node.get(name, [])), set(batch))
        waiting = places.place(set(batch), leaving)
        if waiting:
            findings.append(_finding(number, sorted(batch), len(leaving), waiting))
    return findings


def _finding(number: int, batch: Sequence[str], leaving: int, waiting: Waiting) -> Finding:
    return Finding(
        "warning",
        "BatchDoesNotFit",
        f"batch {number} ({some(batch)}): {len(waiting)} of {leaving} pods wait until it is back: {waiting.words}",
        node=batch[0] if len(batch) == 1 else "",
        object=f"batch {number}",
        detail=f"pods: {', '.join(sorted([*waiting.full, *waiting.apart, *waiting.nowhere]))}; {CHECKED}",
        remedy="add a node, scale something down, or lower spec.max_unavailable",
    )


def _usable(node: Obj) -> bool:
    ready = [c["status"] for c in (node.get("status") or {}).get("conditions") or [] if c["type"] == "Ready"]
    return not (node.get("spec") or {}).get("unschedulable") and ready == ["True"]


def _room(node: Obj, pods: Iterable[Obj]) -> Room:
    free = {name: quantity(amount) for name, amount in ((node.get("status") or {}).get("allocatable") or {}).items()}
    room = Room(node, free)
    for pod in pods:
        room.take(pod)
    return room
