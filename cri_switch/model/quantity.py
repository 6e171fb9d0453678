"""Kubernetes' quantities as numbers."""

from __future__ import annotations

import re

_UNITS = {
    "": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip
_QUANTITY = re.compile(r"([0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")


def quantity(text: str | float) -> float:
    """`100m` is 0.1, `1Gi` is 1073741824; what is not understood counts as 0."""
    found = _QUANTITY.fullmatch(str(text))
    if found is None or found[2] not in _UNITS:
        return 0.0
    return float(found[1]) * _UNITS[found[2]]
