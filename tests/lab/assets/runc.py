"""runc where the machine that hosts the lab lacks CAP_SYS_RESOURCE: a wrapper takes its place.

Facts: without that capability a negative oomScoreAdj, and the capability itself in a bundle, make runc fail (lab.md).
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.lab.assets.debian import in_root

_CAP_SYS_RESOURCE = 24


def wrapper_needed() -> bool:
    """Whether this process, and so every machine that it boots, lacks CAP_SYS_RESOURCE."""
    found = re.search(r"^CapBnd:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text(), re.M)
    return found is None or not int(found.group(1), 16) >> _CAP_SYS_RESOURCE & 1


def wrap_runc(root: Path, wrapper: Path) -> None:
    """Divert a root's runc to runc.real and put the wrapper in its place, also when runc is yet to be installed."""
    rename = "--rename" if (root / "usr/sbin/runc").exists() else "--no-rename"
    in_root(root, f"dpkg-divert --local {rename} --divert /usr/sbin/runc.real --add /usr/sbin/runc")
    shutil.copy2(wrapper, root / "usr/sbin/runc")
