"""A pod as a kubelet takes it from the API or from a static manifest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

EXITS_AFTER = "rehearsal.cri-switch/exits-after"
"""Annotation: seconds after which the pod's containers end well (a Job's pod)."""
IGNORES_SIGTERM = "rehearsal.cri-switch/ignores-sigterm"
"""Annotation "true": it lives until its grace period is over."""


@dataclass(frozen=True)
class Pod:
    """What of a pod matters on a node; `uid` is what its sandboxes are labelled with."""

    namespace: str
    name: str
    uid: str
    containers: tuple[tuple[str, str], ...]
    host_network: bool = False
    ports: tuple[tuple[int, int, str], ...] = ()
    grace: int = 30
    static: bool = False
    stubborn: bool = False
    exits_after: float | None = None
    restart: str = "Always"
    probed: bool = False
    """Whether it has a startup probe."""

    @property
    def key(self) -> str:
        """Namespace/name."""
        return f"{self.namespace}/{self.name}"

    @property
    def stop_seconds(self) -> float:
        """How long its containers take to end."""
        return float(self.grace) if self.stubborn else min(self.grace, 0.3)


def pod_of(obj: dict[str, Any]) -> Pod:
    """The API's pod."""
    meta, spec = obj["metadata"], obj["spec"]
    notes = meta.get("annotations") or {}
    containers = spec.get("containers") or []
    ports = [
        (int(port["hostPort"]), int(port["containerPort"]), str(port.get("protocol", "TCP")).lower())
        for container in containers
        for port in container.get("ports") or []
        if port.get("hostPort")
    ]
    grace = spec.get("terminationGracePeriodSeconds")
    return Pod(
        meta.get("namespace", "default"),
        meta["name"],
        meta.get("uid", ""),
        tuple((str(one["name"]), str(one["image"])) for one in containers),
        bool(spec.get("hostNetwork")),
        () if spec.get("hostNetwork") else tuple(ports),
        30 if grace is None else int(grace),
        stubborn=notes.get(IGNORES_SIGTERM) == "true",
        exits_after=float(notes[EXITS_AFTER]) if EXITS_AFTER in notes else None,
        restart=str(spec.get("restartPolicy") or "Always"),
        probed=any("startupProbe" in container for container in containers),
    )


def static_uid(manifest: dict[str, Any], node: str) -> str:
    """The hash that the kubelet gives a static pod in place of a UID."""
    return hashlib.md5(f"{node}{json.dumps(manifest, sort_keys=True)}".encode(), usedforsecurity=False).hexdigest()
