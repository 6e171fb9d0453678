"""Versions as packages and kubelets write them, compared by their first two numbers."""

from __future__ import annotations

import re

from cri_switch.render.errors import RenderError


def major_minor(version: str) -> tuple[int, int] | None:
    """The first two numbers, None where there are none: an epoch, a leading v and all that follows are left out.

    >>> major_minor("v1.20.2"), major_minor("1.4.13~ds1-1~deb11u4"), major_minor("2:1.6.20")
    ((1, 20), (1, 4), (1, 6))
    """
    match = re.match(r"(?:\d+:)?v?(\d+)\.(\d+)", version.strip())
    return (int(match[1]), int(match[2])) if match else None


def upstream(version: str) -> str:
    """A package's version as the runtime itself says it, and so the node; as it is where it has another form.

    >>> upstream("1.4.13~ds1-1~deb11u4"), upstream("2:1.6.20-1"), upstream("")
    ('1.4.13', '1.6.20', '')
    """
    match = re.match(r"(?:\d+:)?v?(\d+\.\d+\.\d+)", version)
    return match[1] if match else version


def minor_of(kubelet_version: str, path: str) -> int:
    """The minor number of a Kubernetes version 1.x; RenderError names the file that it was needed for."""
    numbers = major_minor(kubelet_version)
    if numbers is None or numbers[0] != 1:
        raise RenderError(path, 0, f"kubelet version {kubelet_version!r} is not known, so neither are its flags")
    return numbers[1]
