"""Three control planes and one worker, cgroup driver systemd; the rest is as one directory above."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.site import Site
from tests.faults.one_lab import standing_lab
from tests.support.prefect_server import PrefectServer


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with standing_lab("faults3", "CRI_SWITCH_FAULTS_LAB3", control_planes=3, workers=1) as found:
        yield found


@pytest.fixture(scope="session")
def server(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with PrefectServer(tmp_path_factory.mktemp("prefect")) as server:
        yield server.api
