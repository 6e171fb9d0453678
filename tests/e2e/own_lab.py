"""What a suite on a lab has to itself: the lab, a directory for what a person may look at, an orderly end."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.network import entered
from tests.e2e.site import Site
from tests.lab import network, state, teardown
from tests.lab.up import Wish, up


@contextmanager
def own_lab(wish: Wish, variable: str) -> Iterator[Site]:
    """The lab, gone at the end, and this process in its network.

    With the environment's `variable`=NAME it is one that stands already, and stays; with CRI_SWITCH_E2E_KEEP it stays.
    """
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    given = os.environ.get(variable)
    name = given or wish.name
    if not given:
        up(wish)
    try:
        with entered(network.namespace(name)):
            yield Site(name)
    finally:
        if not given and not os.environ.get("CRI_SWITCH_E2E_KEEP"):
            with state.exclusive():
                teardown.down(state.load(name))


def fresh_output(suite: str) -> Path:
    """An empty directory, also for what the shared helpers write: CRI_SWITCH_TEST_OUTPUT names it from now on."""
    place = Path(os.environ.get("CRI_SWITCH_TEST_OUTPUT", "build/test-output")).resolve() / suite
    os.environ["CRI_SWITCH_TEST_OUTPUT"] = str(place)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


@contextmanager
def orderly_end() -> Iterator[None]:
    """SIGTERM to the run is an orderly end: the fixtures take their processes and the lab away."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGTERM, interrupt)
    yield
    signal.signal(signal.SIGTERM, old)
