"""A cancel: no further step starts, the run ends as Cancelled within 30 s and says where each node stands."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.prefect.conftest import SETTINGS
from tests.support.prefect_server import PREFECT, PROJECT, PrefectServer, ProcessWorker, eventually

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(900)]
FAKE = "tests.prefect.fake_cluster"


def lines(trace: Path) -> list[str]:
    return trace.read_text().splitlines() if trace.exists() else []


@pytest.mark.parametrize(("number", "blocked"), [(signal.SIGINT, ""), (signal.SIGTERM, "1")])
def test_the_command_line(server: PrefectServer, tmp_path: Path, number: int, blocked: str) -> None:
    file, trace = tmp_path / "migration.yaml", tmp_path / "trace"
    file.write_text(SETTINGS.format(name=f"cli-{number}") + "  max_unavailable: 2\n")
    seconds = "9" if blocked else "8"
    env = {**server.env(), "FAKE_TRACE": str(trace), "FAKE_SECONDS": seconds, "FAKE_BLOCKED": blocked}
    command = [sys.executable, "-m", FAKE, "migrate", "--yes", "-o", "json", "-f", str(file)]
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(
            lambda: {"w2 drain began", "w3 drain began"} <= set(lines(trace)), 300, "the second batch is at work"
        )
        process.send_signal(number)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, err
    at = {node["name"]: (node["outcome"], node["reason"]) for node in json.loads(out)["nodes"]}
    assert at["w1"][0] == "migrated"
    assert "left at drain" in at["w2"][1]
    assert "left at drain" in at["w3"][1]
    assert not [line for line in lines(trace) if "stop_kubelet" in line and not line.startswith("w1")]
    assert ("w2 drain ended" in lines(trace)) is bool(blocked), "what runs is awaited, what waits is not"
    assert "Traceback" not in err
    body = {"flow_runs": {"name": {"any_": [f"cli-{number}"]}}}
    (run,) = server.ask("POST", "/flow_runs/filter", body)
    assert (run["state_type"], run["state_name"]) == ("CANCELLED", "Cancelled")


def deployment(server: PrefectServer, tmp_path: Path, name: str, env: dict[str, str]) -> dict[str, Any]:
    server.run(*PREFECT, "work-pool", "create", "cancel", "--type", "process", "--overwrite")
    spec = {
        "pull": [{"prefect.deployments.steps.set_working_directory": {"directory": str(PROJECT)}}],
        "deployments": [
            {
                "name": name,
                "entrypoint": "tests/prefect/fake_cluster.py:migrate_cluster",
                "work_pool": {"name": "cancel", "job_variables": {"env": {**env, "PYTHONPATH": str(PROJECT)}}},
            }
        ],
    }
    file = tmp_path / "prefect.yaml"
    file.write_text(json.dumps(spec))
    server.run(*PREFECT, "--no-prompt", "deploy", "--all", "--prefect-file", str(file))
    return server.deployment(f"migrate-cluster/{name}")


def migration(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {
            "cluster": {"kubeconfig": "none"},
            "backup": {"directory": "none"},
            "max_unavailable": 2,
            **spec,
        },
    }


def test_the_engines_cancel_and_a_window(server: PrefectServer, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    made = deployment(server, tmp_path, "cancel", {"FAKE_TRACE": str(trace), "FAKE_SECONDS": "15"})
    with ProcessWorker(server, "cancel"):
        run = server.ask(
            "POST", f"/deployments/{made['id']}/create_flow_run", {"parameters": {"migration": migration("cancel")}}
        )
        eventually(
            lambda: {"w2 drain began", "w3 drain began"} <= set(lines(trace)), 120, "the second batch is at work"
        )
        server.run(*PREFECT, "flow-run", "cancel", run["id"])
        eventually(lambda: server.flow_run(run["id"])["state_type"] == "CANCELLED", 300, "the run is Cancelled")
        time.sleep(6)
        assert not [line for line in lines(trace) if "stop_kubelet" in line and not line.startswith("w1")]
        (report,) = server.ask("POST", "/artifacts/filter", {"artifacts": {"key": {"any_": ["report-cancel"]}}})
        assert "left at drain" in report["data"]

        hour = time.gmtime(time.time() + 7200).tm_hour
        window = {"start": f"{hour:02}:00", "end": f"{hour:02}:30"}
        run = server.ask(
            "POST",
            f"/deployments/{made['id']}/create_flow_run",
            {"parameters": {"migration": migration("closed", window=window)}},
        )
        eventually(lambda: server.flow_run(run["id"])["state_type"] == "CANCELLED", 300, "the window is closed")
        state = server.flow_run(run["id"])["state"]
        assert state["name"] == "WindowClosed"
        assert "w1, w2, w3" in state["message"]
