"""Kills and resumes by the real programs on a simulated cluster: server, worker, command, SSH and HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cri_switch.rehearsal.process import RehearsalProcess, Wish
from tests.e2e.pipeline import PROGRAM, Pipeline
from tests.kills.cells import CANCELS, CHAINS, Cell
from tests.kills.chain import Chain
from tests.kills.record import judge, note
from tests.kills.rehearsed import RehearsalGround
from tests.support.prefect_server import PREFECT, PrefectServer, ProcessWorker

_SHORT = (
    Cell("w1", "drain", "flow", "retry"),
    Cell("w2", "install_runtime", "flow", "run"),
    Cell("w2", "start_kubelet", "flow, node rebooted", "cli"),
    Cell("cp1", "start_kubelet", "flow", "run"),
    Cell("w1", "remove_docker", "flow, connection cut", "cli"),
)


@contextmanager
def rehearsed(directory: Path) -> Iterator[Chain]:
    """A simulated cluster of three nodes, a server with the shipped settings, a worker, the deployments."""
    for name in ("cluster", "logs"):
        (directory / name).mkdir()
    wish = Wish(
        directory=str(directory / "cluster"),
        nodes=3,
        control_planes=1,
        self_contained_docker=("w2",),
        replicas=2,
        speed=5.0,
    )
    with (
        RehearsalProcess(wish) as rehearsal,
        PrefectServer(directory / "prefect", settings={"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}) as server,
    ):
        ground = RehearsalGround(rehearsal)
        file = ground.settings(directory)
        server.run(PROGRAM, "deploy", "-f", str(file))
        with ProcessWorker(server) as worker:
            yield Chain(ground, Pipeline(server, worker, "rehearsal", file), directory / "logs")


@pytest.fixture(scope="module")
def output() -> Path:
    """Where the cells' record stays."""
    place = Path(os.environ.get("CRI_SWITCH_TEST_OUTPUT", "build/test-output")).resolve()
    place.mkdir(parents=True, exist_ok=True)
    return place


@pytest.mark.timeout(900)
@pytest.mark.slow
def test_five_kills_of_one_migration(tmp_path: Path, output: Path) -> None:
    with rehearsed(tmp_path) as chain:
        chain.ground.slow_packages()
        chain.go(_SHORT)
        judge(chain, output, "rehearsal")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", CHAINS)
def test_every_cell(name: str, tmp_path: Path, output: Path) -> None:
    with rehearsed(tmp_path) as chain:
        chain.pipeline.server.run(*PREFECT, "automation", "create", "--from-file", "deployments/automations.yaml")
        chain.ground.slow_packages()
        chain.go(CHAINS[name])
        judge(chain, output, "rehearsal")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_cancelled_run_ends_and_the_next_goes_on(tmp_path: Path, output: Path) -> None:
    with rehearsed(tmp_path) as chain:
        chain.ground.slow_packages()
        rows = []
        for wanted in CANCELS:
            chain.start(wanted.started)
            chain.reach(wanted.cell)
            rows.append(chain.cancel(wanted))
        chain.start("run")
        chain.finish()
        wrong = [*chain.twice(), *chain.ground.left()]
        judged = "nothing done twice, nothing left" if not wrong else "not as expected"
        note(output, [row | {"cluster": "rehearsal", "migration": judged} for row in rows])
        assert {str(row["end"]) for row in rows} == {"Cancelled, says where each node stands"}
        assert wrong == []
