"""The lab that all cells of a session run on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.own_lab import own_lab
from tests.e2e.site import Site
from tests.lab.up import Wish


@contextmanager
def standing_lab(name: str, variable: str, *, control_planes: int = 1, workers: int = 2) -> Iterator[Site]:
    """A lab of this run's own, gone at the end; with `variable`=NAME one that stands already, and stays.

    This process is in the lab's network meanwhile. Three control planes have the cgroup driver systemd.
    """
    driver = "systemd" if control_planes > 1 else "cgroupfs"
    wish = Wish(name, control_planes=control_planes, workers=workers, cgroup_driver=driver, for_pid=os.getpid())
    with own_lab(wish, variable) as site:
        yield site
