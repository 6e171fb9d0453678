"""A rehearsed run is a process of its own: the tests after it meet nothing of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cri_switch.model.errors import Stopped
from tasks import stop
from tasks.step import stands
from tests.rehearsal.killing import Cluster


@pytest.fixture
def mask() -> int:
    found = os.umask(0o022)
    os.umask(found)
    return found


def test_a_run_leaves_nothing_in_the_process(tmp_path: Path, mask: int) -> None:
    cluster, seen = Cluster(tmp_path), set[str]()

    def outside(_what: str, act: object) -> object:
        seen.update(stands().values())
        if "drain (not finished)" in seen:
            stop.ask_to_stop()
        return act()  # type: ignore[operator]

    with pytest.raises(Stopped):
        cluster.run(outside, 0)
    assert "drain (not finished)" in seen
    assert (stands(), stop.stopping(), stop.why()) == ({}, False, None)
    assert os.umask(mask) == mask
