"""The lab that all cells of a session run on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.network import entered
from tests.e2e.site import Site
from tests.lab import network, state, teardown
from tests.lab.up import Wish, up


@contextmanager
def standing_lab(name: str, variable: str, *, control_planes: int = 1, workers: int = 2) -> Iterator[Site]:
    """A lab of this run's own, gone at the end; with `variable`=NAME one that stands already, and stays.

    This process is in the lab's network meanwhile. Three control planes have the cgroup driver systemd.
    """
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    given = os.environ.get(variable)
    name = given or name
    if not given:
        driver = "systemd" if control_planes > 1 else "cgroupfs"
        up(Wish(name, control_planes=control_planes, workers=workers, cgroup_driver=driver, for_pid=os.getpid()))
    try:
        with entered(network.namespace(name)):
            yield Site(name)
    finally:
        if not given:
            with state.exclusive():
                teardown.down(state.load(name))
