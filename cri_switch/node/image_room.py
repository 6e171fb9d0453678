"""Room that images need on their way from Docker's store into containerd's: pure."""

from __future__ import annotations

from collections.abc import Mapping

from cri_switch.model.disk_thresholds import disk_threshold
from cri_switch.node.facts.kubelet import KubeletConfig
from cri_switch.node.facts.room import Room

STORE = "/var/lib/containerd"
COPIES = {"/var/lib": 1, STORE: 2}
"""Room that an image takes on its way: the archive below HOME; containerd's content and its snapshot."""


def shortage(places: Mapping[str, Room], size: int, config: KubeletConfig) -> str:
    """Why images of `size` bytes do not fit on the filesystems of COPIES' paths, "" when they do.

    A path that does not exist yet will be on the filesystem of /var/lib.
    """
    here = {path: places.get(path, places["/var/lib"]) for path in COPIES}
    for place in here.values():
        copies = sum(COPIES[path] for path, other in here.items() if other.mount == place.mount)
        name, limit = disk_threshold(config.eviction_hard, config.image_gc_high, place.size)
        if (after := place.free - copies * size) < limit:
            return (
                f"{place.mount} would have {after / 2**30:.1f} GiB free, less than the {limit / 2**30:.1f} GiB below"
                f" which the kubelet makes room ({name})"
            )
    return ""
