from __future__ import annotations

from pathlib import Path

import pytest

from cri_switch.cli.in_process import run_flow
from cri_switch.model.errors import CriSwitchError
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec
from cri_switch.model.plan import Plan

MIGRATION = Migration(
    metadata=Metadata(name="m"), spec=Spec(cluster=ClusterAccess(kubeconfig="-"), backup=Backup(directory=str(Path())))
)


def test_a_server_that_does_not_start_is_an_expected_error() -> None:
    def flow(_migration: Migration) -> None:
        raise RuntimeError("Timed out while attempting to connect to ephemeral Prefect API server.")

    with pytest.raises(CriSwitchError, match="did not start") as caught:
        run_flow(flow, MIGRATION, Plan, debug=True)
    assert "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS" in caught.value.next_step


def test_another_error_stays_what_it_is() -> None:
    def flow(_migration: Migration) -> None:
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        run_flow(flow, MIGRATION, Plan, debug=True)
