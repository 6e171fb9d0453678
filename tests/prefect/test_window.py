"""A run that meets the end of its window finishes its node, says so by its state, and the next window goes on."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.prefect_server import PrefectServer, ProcessWorker
from tests.support.rehearsed import Rehearsed, rehearsed

pytestmark = [pytest.mark.prefect, pytest.mark.slow, pytest.mark.timeout(1200)]
SPEC = {"gate": {"checks": 1}, "stage_parallelism": 4, "node_estimate": 1}


def test_the_end_of_a_window(server: PrefectServer, tmp_path: Path) -> None:
    """The first worker is held in its drain until the window is over: it is finished, and no other is begun."""
    with (
        rehearsed(server, tmp_path, nodes=4, control_planes=1, replicas=3, speed=10, spec=SPEC) as cluster,
        ProcessWorker(server),
    ):
        deployment = cluster.deploy(cluster.settings("window"))
        run, closes = begun(cluster, deployment)
        time.sleep((closes - datetime.now(UTC)).total_seconds() + 1)
        assert states(server, run) == {"w1": "RUNNING"}, "it waits in its drain"
        cluster.let_go()

        end = cluster.ended(run)
        assert (end["state_name"], end["state_type"]) == ("WindowClosed", "CANCELLED"), end["state"]
        assert "the maintenance window is closed; it opens again at" in end["state"]["message"]
        assert "left for the next window: w2, w3, cp1" in end["state"]["message"]
        assert states(server, run) == {"w1": "COMPLETED"}
        assert outcomes(server, run) == {"w1": "migrated", "w2": "untouched", "w3": "untouched", "cp1": "untouched"}
        assert cluster.holder() is None
        assert cluster.cordoned() == []

        run = cluster.create_run(deployment, {"window": {"start": "00:00", "end": "24:00"}})
        end = cluster.ended(run)
        assert end["state_name"] == "Completed", end["state"]
        assert states(server, run) == dict.fromkeys(("w2", "w3", "cp1"), "COMPLETED"), "w1 is done already"


def begun(cluster: Rehearsed, deployment: dict[str, Any]) -> tuple[str, datetime]:
    """A run whose first worker is begun before its window closes, and that time. A busy machine needs a longer one."""
    for seconds in (60, 180, 360):
        now = datetime.now(UTC)
        closes = (now + timedelta(seconds=seconds + 60)).replace(second=0, microsecond=0)
        window = {"start": f"{now - timedelta(minutes=10):%H:%M}", "end": f"{closes:%H:%M}"}
        run = cluster.create_run(deployment, {"window": window})
        if _waits_in_its_drain(cluster, run, closes):
            return run, closes
        assert cluster.ended(run)["state_name"] == "WindowClosed"
        assert states(cluster.server, run) == {}
        cluster.let_go()
    raise AssertionError("no run began a node in six minutes")


def _waits_in_its_drain(cluster: Rehearsed, run: str, closes: datetime) -> bool:
    held = False
    while datetime.now(UTC) < closes:
        if not held and cluster.holder() is not None:
            cluster.hold()
            held = True
        if states(cluster.server, run).get("w1") == "RUNNING":
            return True
        time.sleep(0.5)
    return False


def states(server: PrefectServer, run: str) -> dict[str, str]:
    return {each["name"]: each["state_type"] for each in server.subflows(run)}


def outcomes(server: PrefectServer, run: str) -> dict[str, str]:
    """Node -> outcome, by the run's report."""
    found: list[dict[str, Any]] = server.ask("POST", "/artifacts/filter", {"flow_runs": {"id": {"any_": [run]}}})
    (report,) = [each["data"] for each in found if (each["key"] or "").startswith("report-")]
    rows = [line.strip("| ").split(" | ") for line in report.splitlines() if line.startswith("| ")]
    return {row[0]: row[rows[0].index("OUTCOME")] for row in rows[1:]}
