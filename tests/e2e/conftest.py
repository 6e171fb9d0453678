"""One lab, one server, one worker and one migration for all tests of this directory, in the order of its files."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import before as site_before
from tests.e2e.before import Before
from tests.e2e.migration import Migrated, migrate_with_a_kill
from tests.e2e.network import entered
from tests.e2e.pipeline import PROGRAM, Pipeline
from tests.e2e.settings import settings, write
from tests.e2e.site import Site
from tests.lab import network, state, teardown
from tests.lab.up import Wish, up
from tests.support.prefect_server import PrefectServer, ProcessWorker

_LAB = "e2e"
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            item.add_marker(pytest.mark.timeout(1500))


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A lab of this run's own, gone at the end; with CRI_SWITCH_E2E_LAB=NAME one that stands already, and stays."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    given = os.environ.get("CRI_SWITCH_E2E_LAB")
    name = given or _LAB
    if not given:
        driver = os.environ.get("CRI_SWITCH_E2E_CGROUP_DRIVER", "cgroupfs")
        up(Wish(name, cgroup_driver=driver, for_pid=os.getpid()))
    try:
        with entered(network.namespace(name)):
            yield Site(name)
    finally:
        if not given and not os.environ.get("CRI_SWITCH_E2E_KEEP"):
            with state.exclusive():
                teardown.down(state.load(name))


@pytest.fixture(scope="session")
def output() -> Path:
    """Where screenshots, the prober's record and logs stay for a person to look at."""
    place = Path(os.environ.get("CRI_SWITCH_TEST_OUTPUT", "build/test-output")).resolve() / "e2e"
    os.environ["CRI_SWITCH_TEST_OUTPUT"] = str(place)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


@pytest.fixture(scope="session")
def pipeline(site: Site, output: Path) -> Iterator[Pipeline]:
    """A server with a fresh database, fresh result storage, a worker, and the deployments registered."""
    directory = output / "prefect"
    # Prefect's own 60 s until a new schedule is looked at would be waited for.
    with PrefectServer(directory, settings={"PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "10"}) as server:
        file = write(directory / "migration.yaml", settings(site))
        deployed = server.run(PROGRAM, "deploy", "-f", str(file))
        assert f"migrate-cluster/{site.name}" in deployed.stdout.split(), deployed.stdout
        with ProcessWorker(server) as worker:
            yield Pipeline(server, worker, site.name, file)


@pytest.fixture(scope="session")
def before(site: Site) -> Before:
    """The site with an administrator's own settings, as it was."""
    site_before.administer(site)
    return site_before.look(site)


@pytest.fixture(scope="session")
def migrated(site: Site, pipeline: Pipeline, before: Before, output: Path) -> Migrated:
    """The one migration of this session, whose flow was killed in its first drain."""
    return migrate_with_a_kill(site, pipeline, output)


@pytest.fixture(autouse=True, scope="session")
def _no_interrupts_lost() -> Iterator[None]:
    """SIGTERM to the run is an orderly end: the fixtures take their processes and the lab away."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGTERM, interrupt)
    yield
    signal.signal(signal.SIGTERM, old)
