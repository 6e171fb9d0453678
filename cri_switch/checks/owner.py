"""Who answers for a pod: the object that an administrator would edit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Obj = Mapping[str, Any]

_CRON_JOB = re.compile(r"(.+)-(?:[0-9]{8}|[0-9]{10})")
"""A CronJob's Jobs carry the time they were due: minutes since 1.21 (8 digits), seconds before (10 digits)."""


@dataclass(frozen=True)
class Owner:
    """`name` is `namespace/Kind/name`; `direct` the same of the pod's own controller; `node` only for static pods.

    `chain` are all between the pod and `name`, which may be allowed under any of their names.
    """

    name: str
    direct: str
    node: str = ""
    chain: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Its Kind: Deployment, DaemonSet, CronJob, Pod, ..."""
        return self.name.split("/")[1]

    def among(self, names: Iterable[str]) -> bool:
        """Whether one of `names` is it, or stands between it and the pod."""
        return not {self.name, self.direct, *self.chain}.isdisjoint(names)


@dataclass(frozen=True)
class Owners:
    """Who owns whom, by the ownerReferences of the objects that were listed."""

    above: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()

    def top(self, name: str) -> tuple[str, ...]:
        """`name` and what owns it, one after the other; the last is what an administrator would edit."""
        chain = [name]
        while (owner := self.above.get(chain[-1])) and owner not in chain:
            chain.append(owner)
        return tuple(chain)


def owners(objects: Iterable[Obj]) -> Owners:
    """Of ReplicaSets, Jobs and the like, also those whose owner is of a kind that we do not know."""
    above, known = {}, set()
    for each in objects:
        name = title(each)
        known.add(name)
        controller = controller_of(each)
        if controller is not None:
            above[name] = f"{namespace_of(each)}/{controller['kind']}/{controller['name']}"
    return Owners(above, frozenset(known))


def namespace_of(obj: Obj) -> str:
    """Its namespace."""
    return str((obj.get("metadata") or {}).get("namespace", "default"))


def title(obj: Obj) -> str:
    """`namespace/Kind/name`; what has no kind is a Pod."""
    return f"{namespace_of(obj)}/{obj.get('kind') or 'Pod'}/{(obj.get('metadata') or {}).get('name', '')}"


def controller_of(obj: Obj) -> Obj | None:
    """The owner reference that is the controller, or else the first."""
    references = (obj.get("metadata") or {}).get("ownerReferences") or []
    return next((one for one in references if one.get("controller")), references[0] if references else None)


def is_static(pod: Obj) -> bool:
    """Whether it is the API's image of a static pod."""
    controller = controller_of(pod)
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    return "kubernetes.io/config.mirror" in annotations or (controller is not None and controller["kind"] == "Node")


def owner_of(pod: Obj, known: Owners | None = None) -> Owner:
    """The owner by ownerReferences, and where its objects are not known by the names that controllers give.

    A ReplicaSet named after its pod-template-hash is its Deployment's, a Job named after a time its CronJob's; a
    mirror pod (owned by its Node) is a static pod, its own owner.
    """
    meta = pod.get("metadata") or {}
    namespace = namespace_of(pod)
    controller = controller_of(pod)
    itself = f"{namespace}/Pod/{meta.get('name', '')}"
    if is_static(pod):
        return Owner(itself, itself, (pod.get("spec") or {}).get("nodeName", ""))
    if controller is None:
        return Owner(itself, itself)
    kind, name = controller["kind"], controller["name"]
    direct = f"{namespace}/{kind}/{name}"
    if known is not None and direct in known.known:
        chain = known.top(direct)
        return Owner(chain[-1], direct, chain=chain)
    template_hash = (meta.get("labels") or {}).get("pod-template-hash")
    guess = direct
    if kind == "ReplicaSet" and template_hash and name.endswith(f"-{template_hash}"):
        guess = f"{namespace}/Deployment/{name.removesuffix(f'-{template_hash}')}"
    elif kind == "Job" and (cron := _CRON_JOB.fullmatch(name)):
        guess = f"{namespace}/CronJob/{cron[1]}"
    chain = known.top(guess) if known is not None else (guess,)
    return Owner(chain[-1], direct, chain=chain)
