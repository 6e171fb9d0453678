"""Who answers for a pod: the object that an administrator would edit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CRON_JOB = re.compile(r"(.+)-(?:[0-9]{8}|[0-9]{10})")
"""A CronJob's Jobs carry the time they were due: minutes since 1.21 (8 digits), seconds before (10 digits)."""


@dataclass(frozen=True)
class Owner:
    """`name` is `namespace/Kind/name`; `direct` the same of the pod's own controller; `node` only for static pods."""

    name: str
    direct: str
    node: str = ""

    @property
    def kind(self) -> str:
        """Its Kind: Deployment, DaemonSet, CronJob, Pod, ..."""
        return self.name.split("/")[1]


def owner_of(pod: Mapping[str, Any]) -> Owner:
    """The owner by ownerReferences and the names that controllers give, since the pod alone is known.

    A ReplicaSet named after its pod-template-hash is its Deployment's, a Job named after a time its CronJob's; a
    mirror pod (owned by its Node) is a static pod, its own owner.
    """
    meta = pod.get("metadata") or {}
    namespace = meta.get("namespace", "default")
    references = meta.get("ownerReferences") or []
    controller = next((one for one in references if one.get("controller")), references[0] if references else None)
    itself = f"{namespace}/Pod/{meta.get('name', '')}"
    if "kubernetes.io/config.mirror" in (meta.get("annotations") or {}) or (
        controller and controller["kind"] == "Node"
    ):
        return Owner(itself, itself, (pod.get("spec") or {}).get("nodeName", ""))
    if controller is None:
        return Owner(itself, itself)
    kind, name = controller["kind"], controller["name"]
    direct = f"{namespace}/{kind}/{name}"
    template_hash = (meta.get("labels") or {}).get("pod-template-hash")
    if kind == "ReplicaSet" and template_hash and name.endswith(f"-{template_hash}"):
        return Owner(f"{namespace}/Deployment/{name.removesuffix(f'-{template_hash}')}", direct)
    if kind == "Job" and (cron := _CRON_JOB.fullmatch(name)):
        return Owner(f"{namespace}/CronJob/{cron[1]}", direct)
    return Owner(direct, direct)
