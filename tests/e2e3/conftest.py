"""Three control planes behind haproxy and one worker, cgroup driver systemd: one lab and one migration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import before as site_before
from tests.e2e.before import Before
from tests.e2e.own_lab import fresh_output, orderly_end, own_lab
from tests.e2e.pipeline import Pipeline, deployed
from tests.e2e.site import Site
from tests.e2e3.migration import Migrated, migrate
from tests.lab.up import Wish

_LAB = "e2e3"
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            item.add_marker(pytest.mark.timeout(1500))


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A lab of this run's own, gone at the end; with CRI_SWITCH_E2E3_LAB=NAME one that stands already, and stays."""
    wish = Wish(_LAB, control_planes=3, workers=1, cgroup_driver="systemd", for_pid=os.getpid())
    with own_lab(wish, "CRI_SWITCH_E2E3_LAB") as site:
        yield site


@pytest.fixture(scope="session")
def output() -> Path:
    """Where the probers' records, the API's events and logs stay for a person to look at."""
    return fresh_output("e2e3")


@pytest.fixture(scope="session")
def pipeline(site: Site, output: Path) -> Iterator[Pipeline]:
    """A server with a fresh database, fresh result storage, a worker, and the deployments registered.

    Nodes are staged one by one: they share one disk, and four imports at once starve etcd and haproxy's checks.
    """
    with deployed(site, output / "prefect", changes={"stage_parallelism": 1}) as pipeline:
        yield pipeline


@pytest.fixture(scope="session")
def before(site: Site) -> Before:
    """The site as it was, with rules and a taint of its administrator's."""
    site_before.administer(site)
    return site_before.look(site)


@pytest.fixture(scope="session")
def migrated(site: Site, pipeline: Pipeline, before: Before, output: Path) -> Migrated:
    """The one migration of this session."""
    return migrate(site, pipeline, output)


@pytest.fixture(autouse=True, scope="session")
def _no_interrupts_lost() -> Iterator[None]:
    with orderly_end():
        yield
