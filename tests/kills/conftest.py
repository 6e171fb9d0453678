"""One lab, put back to its snapshot before each migration; a server, a worker and result storage for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.network import entered
from tests.e2e.pipeline import PROGRAM, Pipeline
from tests.e2e.site import Site
from tests.kills.chain import Chain
from tests.kills.ground import LabGround
from tests.lab import network, snapshots, state, teardown
from tests.lab.up import Wish, up
from tests.support.prefect_server import PREFECT, PrefectServer, ProcessWorker

_LAB = "kills"
_HERE = Path(__file__).parent
SETTINGS = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            item.add_marker(pytest.mark.timeout(2400))


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A lab of this run's own, gone at the end; with CRI_SWITCH_KILLS_LAB=NAME one that stands already, and stays."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    given = os.environ.get("CRI_SWITCH_KILLS_LAB")
    name = given or _LAB
    if not given:
        up(Wish(name, for_pid=os.getpid()))
    try:
        with entered(network.namespace(name)):
            snapshots.snapshot(state.load(name))
            yield Site(name)
    finally:
        if not given:
            with state.exclusive():
                teardown.down(state.load(name))


@pytest.fixture(scope="session")
def output() -> Path:
    """Where the cells' record and the runs' logs stay."""
    place = Path(os.environ.get("CRI_SWITCH_TEST_OUTPUT", "build/test-output")).resolve()
    (place / "kills").mkdir(parents=True, exist_ok=True)
    return place


@pytest.fixture
def restored(site: Site) -> Iterator[Site]:
    """The lab as it was; put back after the test, so that the next one begins with it."""
    yield site
    snapshots.restore(site.lab)


@pytest.fixture
def chain(restored: Site, tmp_path: Path, output: Path) -> Iterator[Chain]:
    """A migration that is not begun yet, with the settings and the automation that are shipped."""
    ground = LabGround(restored)
    with PrefectServer(tmp_path / "prefect", settings=SETTINGS) as server:
        file = ground.settings(tmp_path)
        server.run(PROGRAM, "deploy", "-f", str(file))
        server.run(*PREFECT, "automation", "create", "--from-file", "deployments/automations.yaml")
        with ProcessWorker(server) as worker:
            yield Chain(ground, Pipeline(server, worker, restored.name, file), output / "kills")
