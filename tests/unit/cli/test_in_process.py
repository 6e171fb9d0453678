from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import pytest
import yaml

from cri_switch.cli.in_process import refuse_errors, run_flow, show_reported
from cri_switch.model.errors import CriSwitchError, PreflightError
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec
from cri_switch.model.plan import Plan
from tasks.preflight import verdict

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


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_findings_that_stop_a_migration_are_data_for_a_machine(
    output: Literal["json", "yaml"], capsys: pytest.CaptureFixture[str]
) -> None:
    findings = [
        Finding("warning", "LiveRestore", "w1: live-restore is on", node="w1"),
        Finding("error", "SwarmActive", "w1: Docker is in swarm mode", node="w1", remedy="docker swarm leave"),
    ]

    def flow(_migration: Migration) -> None:
        problem = verdict(findings)
        assert problem is not None
        raise problem

    with pytest.raises(PreflightError, match="SwarmActive"):
        show_reported(flow, MIGRATION, output, debug=True, file="m.yaml")
    said = capsys.readouterr().out
    data = json.loads(said) if output == "json" else yaml.safe_load(said)
    assert data == {"findings": [asdict(each) for each in findings]}


def test_a_person_has_them_in_the_error_alone(capsys: pytest.CaptureFixture[str]) -> None:
    def flow(_migration: Migration) -> None:
        problem = verdict([Finding("error", "SwarmActive", "w1: Docker is in swarm mode", node="w1")])
        assert problem is not None
        raise problem

    with pytest.raises(PreflightError, match=r"\[ERROR SwarmActive\]: w1: Docker is in swarm mode"):
        show_reported(flow, MIGRATION, "table", debug=True, file="m.yaml")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("count", "said"), [(1, "1 error stands"), (2, "2 errors stand")])
def test_what_stands_in_the_way_is_counted(count: int, said: str) -> None:
    with pytest.raises(PreflightError, match=f"{said} in the way: SwarmActive"):
        refuse_errors([Finding("error", "SwarmActive", "swarm")] * count)
