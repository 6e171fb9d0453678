"""How much of a filesystem the kubelet wants free before it evicts pods, or deletes images."""

from __future__ import annotations

from collections.abc import Mapping

from cri_switch.model.quantity import quantity

_EVICTION = {"nodefs.available": "10%", "imagefs.available": "15%"}
"""The hard thresholds where the kubelet's evictionHard has none (pkg/kubelet/eviction/defaults_linux.go)."""
IMAGE_GC_HIGH = 85
"""imageGCHighThresholdPercent where the configuration has none: above it images are deleted (v1beta1/defaults.go)."""


def eviction_threshold(given: Mapping[str, str], size: int) -> tuple[str, float]:
    """The higher of the two thresholds of disks, its name and its bytes of a filesystem of `size` bytes.

    `given` is evictionHard: where it has anything, the defaults do not count.
    """
    found = []
    for name, default in _EVICTION.items():
        text = given.get(name, "" if given else default)
        share = text.endswith("%")
        number = quantity(text.removesuffix("%")) if text else 0.0
        found.append((name, number * size / 100 if share else number))
    return max(found, key=lambda each: each[1])


def disk_threshold(given: Mapping[str, str], image_gc_high: int, size: int) -> tuple[str, float]:
    """The highest of all: below it the kubelet begins to make room."""
    collects = ("imageGCHighThresholdPercent", size * (100 - image_gc_high) / 100)
    return max(eviction_threshold(given, size), collects, key=lambda each: each[1])
