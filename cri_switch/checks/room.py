"""Whether the images find room beside Docker's, and what the kubelet makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cri_switch.checks.state import NodeState
from cri_switch.model.disk_thresholds import eviction_threshold
from cri_switch.model.finding import Finding

CONTAINERD = "/var/lib/containerd"


def check_room(state: NodeState, say: Callable[..., Finding]) -> Iterator[Finding]:
    """Both stores lie side by side until Docker's is deleted: an error where the images surely do not fit."""
    store = state.stores.get(CONTAINERD) or state.stores.get("/var/lib")
    if store is None or not store.size:
        return
    need, after = state.image_bytes, store.free - state.image_bytes
    if after <= 0:
        yield say(
            "error",
            "NotEnoughDisk",
            f"the images in use take {gigabytes(need)}, and {store.mount} has {gigabytes(store.free)} free",
            f"docker image prune, or give {CONTAINERD} a disk of its own",
        )
        return
    name, limit = eviction_threshold(state.eviction, store.size)
    if after < limit:
        yield say(
            "warning",
            "DiskBelowThreshold",
            f"with the images in both stores {store.mount} has {100 * after / store.size:.0f} % free, and below"
            f" {100 * limit / store.size:.0f} % ({name}) the kubelet evicts pods",
            f"docker image prune, or give {CONTAINERD} a disk of its own",
            detail=f"{gigabytes(need)} of images, {gigabytes(store.free)} free of {gigabytes(store.size)}",
        )


def gigabytes(size: float) -> str:
    """Bytes for people."""
    return f"{size / 1e9:.1f} GB"
