"""One lab for all cells; each cell is a run of its own by the real command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Site
from tests.faults.one_lab import standing_lab
from tests.faults.run import Runs
from tests.faults.standing import standing
from tests.support.prefect_server import PrefectServer

_LAB = "faults"
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """One control plane and two workers."""
    with standing_lab(_LAB, "CRI_SWITCH_FAULTS_LAB") as found:
        yield found


@pytest.fixture(scope="session")
def output() -> Path:
    """Where the cells' record and the runs' logs stay."""
    place = Path(os.environ.get("CRI_SWITCH_TEST_OUTPUT", "build/test-output")).resolve()
    (place / "faults").mkdir(parents=True, exist_ok=True)
    return place


@pytest.fixture(scope="session")
def pristine(site: Site) -> dict[str, dict[str, str]]:
    """How every machine stood before the first cell."""
    return {name: standing(site.name, name) for name in site.nodes}


@pytest.fixture(scope="session")
def server(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one Prefect server for all runs: a server of each run's own would take longer than the run."""
    with PrefectServer(tmp_path_factory.mktemp("prefect")) as server:  # this process is in the lab's network already
        yield server.api


@pytest.fixture
def runs(site: Site, server: str, tmp_path: Path, output: Path) -> Runs:
    """Runs with a result storage of their own."""
    return Runs(site, tmp_path, output / "faults", server)
