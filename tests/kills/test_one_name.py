"""Two clusters built one after the other under one name, with one server and one result storage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cri_switch.model.steps import STEPS
from tests.e2e.look import checkpoints
from tests.e2e.network import entered
from tests.e2e.pipeline import Pipeline
from tests.e2e.site import Site
from tests.kills.cells import Cell
from tests.kills.chain import Chain
from tests.kills.conftest import SETTINGS
from tests.kills.ground import LabGround
from tests.lab import network, state, teardown
from tests.lab.up import Wish, up
from tests.support.prefect_server import PrefectServer, ProcessWorker

pytestmark = pytest.mark.slow
_NAME = os.environ.get("CRI_SWITCH_KILLS_LAB", "kills") + "-twice"


def test_the_second_trusts_nothing_of_the_first(tmp_path: Path, output: Path) -> None:
    """The first was killed in its second node; the second one's nodes have the same names and addresses."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    for first in (True, False):
        up(Wish(_NAME, for_pid=os.getpid()))
        try:
            with (
                entered(network.namespace(_NAME)),
                PrefectServer(tmp_path / "prefect", settings=SETTINGS) as server,
            ):
                ground = LabGround(Site(_NAME))
                pipeline = Pipeline(server, ProcessWorker(server), _NAME, ground.settings(tmp_path))
                pipeline.register()
                with pipeline.worker:
                    _half(Chain(ground, pipeline, output)) if first else _whole(Chain(ground, pipeline, output))
        finally:
            with state.exclusive():
                teardown.down(state.load(_NAME))


def _half(chain: Chain) -> None:
    cell = Cell("w2", "start_kubelet", "flow", "run")
    chain.start("run")
    chain.reach(cell)
    chain.kill(cell)
    assert len(checkpoints.results(chain.pipeline.server.storage)) > len(STEPS)


def _whole(chain: Chain) -> None:
    before = checkpoints.results(chain.pipeline.server.storage)
    assert before, "the results of the first cluster are there"
    chain.start("run")
    chain.finish()
    assert chain.ground.left() == []
    for node in chain.ground.nodes:
        done = checkpoints.completions(chain.ground.journal(node))
        assert [step for step in STEPS if done[1, step] != 1] == [], f"{node}: {done}"
    now = checkpoints.results(chain.pipeline.server.storage)
    assert {file: now[file] for file in before if not file.endswith(".json")} == {
        file: at for file, at in before.items() if not file.endswith(".json")
    }
