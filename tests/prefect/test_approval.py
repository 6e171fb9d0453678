"""A person's yes: the run suspends after the canary, and only an explicit yes lets it go on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.prefect.conftest import SETTINGS
from tests.prefect.test_cancel import FAKE, deployment, lines, migration
from tests.support.prefect_server import PrefectServer, ProcessWorker, eventually

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(900)]


def test_a_suspended_run(server: PrefectServer, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    made = deployment(server, tmp_path, "approval", {"FAKE_TRACE": str(trace), "FAKE_SECONDS": "0.2"})

    def suspended() -> str:
        body = {"parameters": {"migration": migration("ask", approval="after_canary")}}
        run: str = server.ask("POST", f"/deployments/{made['id']}/create_flow_run", body)["id"]
        eventually(lambda: server.flow_run(run)["state_name"] == "Suspended", 300, "the run is suspended")
        return run

    with ProcessWorker(server, "cancel"):
        run = suspended()
        assert [line for line in lines(trace) if not line.startswith("w1")] == []
        (page,) = server.ask("POST", "/artifacts/filter", {"artifacts": {"key": {"any_": ["approval-ask"]}}})
        assert "| w1 | worker | migrated" in page["data"]
        count = len(lines(trace))
        server.ask("POST", f"/flow_runs/{run}/resume", {})
        eventually(lambda: server.flow_run(run)["state_type"] == "CANCELLED", 300, "no yes, no go")
        assert server.flow_run(run)["state_name"] == "NotApproved"
        assert len(lines(trace)) == count, "the answer is looked at before anything is started"

        run = suspended()
        server.ask("POST", f"/flow_runs/{run}/resume", {"run_input": {"approved": True, "by": "Ada"}})
        eventually(lambda: server.flow_run(run)["state_type"] == "COMPLETED", 300, "the run goes on")
        assert "w3 uncordon ended" in lines(trace)
        found = server.ask("POST", "/artifacts/filter", {"artifacts": {"key": {"any_": ["report-ask"]}}})
        said = next(each["data"] for each in found if each["flow_run_id"] == run)
        assert "- after_canary: Ada, 20" in said


def test_neither_terminal_nor_deployment(server: PrefectServer, tmp_path: Path) -> None:
    file = tmp_path / "migration.yaml"
    file.write_text(SETTINGS.format(name="nobody") + "  approval: both\n")
    done = server.run(sys.executable, "-m", FAKE, "migrate", "--yes", "-f", str(file), check=False)
    assert done.returncode == 10
    assert "state: nothing was touched" in done.stderr
    assert "next: " in done.stderr
