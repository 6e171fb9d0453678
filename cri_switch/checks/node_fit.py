"""Whether the scheduler lets a pod run on a node by what both say: requests, taints, selectors, volumes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cri_switch.checks.owner import Obj, namespace_of
from cri_switch.model.label_selector import expression_holds
from cri_switch.model.quantity import quantity

Resources = dict[str, float]
Terms = Sequence[Mapping[str, Any]]
"""nodeSelectorTerms: one of them has to hold."""


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


def host_ports(pod: Obj) -> frozenset[tuple[str, int]]:
    """(protocol, port) of the node that it takes; addresses are not told apart."""
    return frozenset(
        (port.get("protocol") or "TCP", int(port["hostPort"]))
        for container in (pod.get("spec") or {}).get("containers") or []
        for port in container.get("ports") or []
        if port.get("hostPort")
    )


def tied_volumes(claims: Iterable[Obj], volumes: Iterable[Obj]) -> dict[str, Terms]:
    """`namespace/claim` to the nodes where its volume is, for claims whose PersistentVolume is not everywhere."""
    affinity = {each["metadata"]["name"]: (each.get("spec") or {}).get("nodeAffinity") or {} for each in volumes}
    found = {}
    for claim in claims:
        required = affinity.get((claim.get("spec") or {}).get("volumeName") or "", {}).get("required") or {}
        if terms := required.get("nodeSelectorTerms"):
            found[f"{namespace_of(claim)}/{claim['metadata']['name']}"] = terms
    return found


def claims_of(pod: Obj) -> Iterator[str]:
    """`namespace/claim` of each PersistentVolumeClaim that it uses."""
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        if volume.get("persistentVolumeClaim"):
            yield f"{namespace_of(pod)}/{volume['persistentVolumeClaim'].get('claimName')}"


def fits(pod: Obj, node: Obj, tied: Mapping[str, Terms] | None = None) -> bool:
    """Whether node selector, required node affinity, tolerations and volumes (`tied`) let it run there."""
    return chosen(pod, node, tied) and tolerated(pod, node)


def chosen(pod: Obj, node: Obj, tied: Mapping[str, Terms] | None = None) -> bool:
    """Whether node selector, required node affinity and volumes name the node."""
    spec, labels = pod.get("spec") or {}, node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    wanted = [required.get("nodeSelectorTerms") or []] if required else []
    wanted += [tied[claim] for claim in claims_of(pod) if tied and claim in tied]
    return all(any(_holds(term, node) for term in terms) for terms in wanted)


def tolerated(pod: Obj, node: Obj) -> bool:
    """Whether it tolerates every taint of the node that keeps pods away."""
    hard = [
        taint
        for taint in (node.get("spec") or {}).get("taints") or []
        if taint.get("effect") in ("NoSchedule", "NoExecute")
    ]
    tolerations = (pod.get("spec") or {}).get("tolerations") or []
    return all(any(_tolerates(each, taint) for each in tolerations) for taint in hard)


def choice_key(pod: Obj, tied: Mapping[str, Terms]) -> str:
    """The same for pods that `fits` gives the same nodes."""
    spec = pod.get("spec") or {}
    affinity = (spec.get("affinity") or {}).get("nodeAffinity")
    homes = [claim for claim in claims_of(pod) if claim in tied]
    return json.dumps([spec.get("nodeSelector"), affinity, spec.get("tolerations"), homes], sort_keys=True)


def _holds(term: Mapping[str, Any], node: Obj) -> bool:
    """A term without any requirement holds nowhere (kube-scheduler's rule)."""
    labels, expressions = node["metadata"].get("labels") or {}, term.get("matchExpressions") or []
    fields = term.get("matchFields") or []
    if not expressions and not fields:
        return False
    name = {"metadata.name": node["metadata"]["name"]}
    return all(expression_holds(e, labels) for e in expressions) and all(expression_holds(e, name) for e in fields)


def _requests(container: Obj) -> Resources:
    given = (container.get("resources") or {}).get("requests") or {}
    return {name: quantity(amount) for name, amount in given.items()}


def _tolerates(toleration: Mapping[str, str], taint: Mapping[str, str]) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and (toleration.get("value") or "") == (taint.get("value") or "")
