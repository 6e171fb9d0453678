"""One lab, one server, one worker and one migration for all tests of this directory, in the order of its files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import before as site_before
from tests.e2e.before import Before
from tests.e2e.migration import Migrated, migrate_with_a_kill
from tests.e2e.own_lab import fresh_output, orderly_end, own_lab
from tests.e2e.pipeline import Pipeline, deployed
from tests.e2e.site import Site
from tests.lab.up import Wish

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
    driver = os.environ.get("CRI_SWITCH_E2E_CGROUP_DRIVER", "cgroupfs")
    with own_lab(Wish(_LAB, cgroup_driver=driver, for_pid=os.getpid()), "CRI_SWITCH_E2E_LAB") as site:
        yield site


@pytest.fixture(scope="session")
def output() -> Path:
    """Where screenshots, the prober's record and logs stay for a person to look at."""
    return fresh_output("e2e")


@pytest.fixture(scope="session")
def pipeline(site: Site, output: Path) -> Iterator[Pipeline]:
    """A server with a fresh database, fresh result storage, a worker, and the deployments registered."""
    # Prefect's own 60 s until a new schedule is looked at would be waited for.
    with deployed(site, output / "prefect", {"PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "10"}) as pipeline:
        yield pipeline


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
    with orderly_end():
        yield
