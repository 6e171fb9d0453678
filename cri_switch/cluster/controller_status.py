"""How many pods a controller has, should have, and lacks: pure."""

from __future__ import annotations

from collections.abc import Iterable

from cri_switch.cluster.client import Obj


def ready_of(controller: Obj) -> int:
    """How many of its pods are ready (a Job's: active)."""
    status = controller.get("status") or {}
    return int(status.get("active" if controller["kind"] == "Job" else "readyReplicas") or 0)


def wanted_of(controller: Obj) -> int:
    """How many of its pods there should be; a finished or suspended Job wants none."""
    spec, status = controller["spec"], controller.get("status") or {}
    if controller["kind"] != "Job":
        return int(1 if spec.get("replicas") is None else spec["replicas"])
    ended: Iterable[Obj] = status.get("conditions") or []
    if spec.get("suspend") or any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in ended):
        return 0
    return 1


def short(controller: Obj, before: int | None, left: int = 0) -> str:
    """What a controller lacks; no more is asked of it than it had `before`, less the `left` pods that nobody waits for.

    Empty when it is whole.
    """
    generation = controller["metadata"].get("generation", 0)
    seen = (controller.get("status") or {}).get("observedGeneration", generation)
    wanted, ready = wanted_of(controller), ready_of(controller)
    if before is not None:
        wanted = min(wanted, before)
    if seen < generation:
        return "its controller has not seen its last change yet"
    return f"{ready} of {wanted} ready" if ready < wanted - left else ""
