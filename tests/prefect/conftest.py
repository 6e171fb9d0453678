"""One server for all tests here; deployments with names of their own keep them apart."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.prefect_server import PrefectServer

CRI_SWITCH = [sys.executable, "-m", "cri_switch.cli"]

SETTINGS = """\
apiVersion: cri-switch/v1alpha1
kind: Migration
metadata: {{name: {name}}}
spec:
  cluster: {{kubeconfig: no-such-kubeconfig}}
  backup: {{directory: backup, acknowledge_not_backed_up: true}}
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with PrefectServer(tmp_path_factory.mktemp("prefect")) as running:
        yield running


@pytest.fixture(scope="session")
def deployed(server: PrefectServer) -> Callable[[str], str]:
    """Register the deployments of a migration of that name; the settings file's path."""

    def register(name: str) -> str:
        file = server.directory / f"{name}.yaml"
        file.write_text(SETTINGS.format(name=name))
        server.run(*CRI_SWITCH, "deploy", "-f", str(file))
        return str(file)

    return register


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A settings file whose kubeconfig is not there."""
    file = tmp_path / "migration.yaml"
    file.write_text(SETTINGS.format(name="nowhere"))
    return file
