"""The status that a kubelet writes of a pod."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cri_switch.rehearsal.box import Box
from cri_switch.rehearsal.clock import timestamp
from cri_switch.rehearsal.pod import Pod

READY_AFTER = 1.0
"""Seconds that a container runs before it counts as ready."""
PROBED_READY_AFTER = 77.0
"""With a startup probe and no other: the kubelet sees its success at its next look only, which is one in 60 to 90 s
(peers.md 63). The probe begins anew with the kubelet."""


@dataclass(frozen=True)
class Waiting:
    """Why a pod's containers do not run yet."""

    reason: str = "ContainerCreating"
    message: str = ""


def pod_status(
    pod: Pod, boxes: Sequence[Box], scheme: str, host: str, now: float, waiting: Waiting, since: float
) -> dict[str, Any]:
    """`boxes` are the pod's containers without its sandbox; `scheme` is docker:// or containerd://.

    `since`: when its kubelet first looked at it.
    """
    by_name = {box.name: box for box in boxes}
    failed = {box.name: box for box in boxes if box.failure}
    statuses = [
        _container(name, image, by_name.get(name), scheme, waiting, _is_ready(pod, by_name.get(name), now, since))
        for name, image in pod.containers
    ]
    for one in statuses:
        if one["name"] in failed:
            one["lastState"] = {"terminated": _ended(failed[one["name"]], scheme)}
    ready = bool(statuses) and all(one["ready"] for one in statuses)
    ended = [box for box in boxes if box.state == "exited"]
    phase = "Pending"
    if len(ended) == len(pod.containers) and pod.restart != "Always":
        phase = "Succeeded" if all(box.exit_code == 0 for box in ended) else "Failed"
    elif boxes:
        phase = "Running"
    address = next((box.ip for box in boxes if box.ip), "")
    status: dict[str, Any] = {
        "phase": phase,
        "conditions": [
            _condition("Initialized", True),
            _condition("Ready", ready, "" if ready else "ContainersNotReady"),
            _condition("ContainersReady", ready, "" if ready else "ContainersNotReady"),
            _condition("PodScheduled", True),
        ],
        "hostIP": host,
        "startTime": timestamp(since),
        "containerStatuses": statuses,
        "qosClass": "BestEffort",
    }
    if address and phase == "Running":
        status |= {"podIP": address, "podIPs": [{"ip": address}]}
    return status


def _condition(kind: str, holds: bool, reason: str = "") -> dict[str, Any]:
    found = {"type": kind, "status": "True" if holds else "False", "lastProbeTime": None}
    return found | ({"reason": reason} if reason else {})


def _is_ready(pod: Pod, box: Box | None, now: float, since: float) -> bool:
    if box is None or not box.running:
        return False
    if pod.probed:
        return now - max(box.started, since) >= PROBED_READY_AFTER
    return now - box.started >= READY_AFTER


def _container(name: str, image: str, box: Box | None, scheme: str, waiting: Waiting, ready: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "image": image, "imageID": "", "ready": False, "restartCount": 0}
    if box is None:
        state = {"reason": waiting.reason} | ({"message": waiting.message} if waiting.message else {})
        return found | {"started": False, "state": {"waiting": state}, "lastState": {}}
    prefix = "docker-pullable://" if scheme == "docker" else ""
    found |= {
        "imageID": prefix + box.image.id,
        "containerID": f"{scheme}://{box.id}",
        "restartCount": box.attempt,
        "started": box.running,
        "ready": ready,
        "lastState": {},
    }
    if box.running:
        return found | {"state": {"running": {"startedAt": timestamp(box.started)}}}
    if box.failure:
        return found | {"state": {"waiting": {"reason": waiting.reason, "message": waiting.message}}}
    return found | {"state": {"terminated": _ended(box, scheme)}}


def _ended(box: Box, scheme: str) -> dict[str, Any]:
    return {
        "exitCode": box.exit_code,
        "reason": "StartError" if box.failure else "Completed" if box.exit_code == 0 else "Error",
        **({"message": box.failure} if box.failure else {}),
        "startedAt": timestamp(box.started),
        "finishedAt": timestamp(box.finished),
        "containerID": f"{scheme}://{box.id}",
    }
