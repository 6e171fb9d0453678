"""A real Prefect server from the locked packages: the deployments, their schedule, their limits."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.prefect.conftest import CRI_SWITCH
from tests.support.prefect_server import PREFECT, PrefectServer, ProcessWorker, eventually

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(900)]

Deployed = Callable[[str], str]


def start(server: PrefectServer, deployment: dict[str, Any], **body: Any) -> tuple[int, Any]:
    return server.status_of("POST", f"/deployments/{deployment['id']}/create_flow_run", body)


def test_the_server_runs_with_the_settings_that_lose_nothing(server: PrefectServer) -> None:
    settings = server.ask("GET", "/admin/settings")
    recorder = settings["server"]["services"]["task_run_recorder"]
    assert (recorder["batch_size"], recorder["read_batch_size"], recorder["flush_interval"]) == (100, 100, 1)
    assert settings["server"]["analytics_enabled"] is False


def test_deploying_registers_what_prefect_yaml_says(server: PrefectServer, deployed: Deployed) -> None:
    file = deployed("facts")
    plan, migrate = (server.deployment(f"{flow}/facts") for flow in ("plan-cluster", "migrate-cluster"))
    for each in (plan, migrate):
        assert each["work_pool_name"] == "cri-switch"
        assert each["enforce_parameter_schema"] is True
        assert each["job_variables"]["stream_output"] is False
        assert each["job_variables"]["env"]["PREFECT_LOCAL_STORAGE_PATH"] == str(server.storage)
        assert each["parameters"]["migration"]["metadata"]["name"] == "facts"
        assert "migration" in each["parameter_openapi_schema"]["properties"]
        assert "Drain" in each["parameter_openapi_schema"]["definitions"], "the form is the model"
    assert migrate["global_concurrency_limit"]["limit"] == 1
    assert plan["global_concurrency_limit"] is None
    (window,) = migrate["schedules"]
    assert (window["slug"], window["active"], window["schedule"]["timezone"]) == ("maintenance-window", False, "UTC")
    assert server.ask("GET", "/work_pools/cri-switch")["type"] == "process"

    again = server.run(*CRI_SWITCH, "deploy", "-f", file)
    assert again.stdout.split() == ["plan-cluster/facts", "migrate-cluster/facts", "rollback-node/facts"]
    assert "worker start --pool cri-switch" in again.stderr
    assert server.deployment("migrate-cluster/facts")["id"] == migrate["id"]


def test_a_schedule_creates_a_run_and_outlives_another_deploy(server: PrefectServer, deployed: Deployed) -> None:
    deployed("window")
    deployment = server.deployment("migrate-cluster/window")
    (window,) = deployment["schedules"]
    change = {"active": True, "schedule": {"cron": "30 3 * * *", "timezone": "Europe/Berlin"}}
    server.ask("PATCH", f"/deployments/{deployment['id']}/schedules/{window['id']}", change)

    def scheduled() -> list[dict[str, Any]]:
        body = {"deployments": {"id": {"any_": [deployment["id"]]}}}
        runs: list[dict[str, Any]] = server.ask("POST", "/flow_runs/filter", body)
        return [run for run in runs if run["auto_scheduled"] and run["state_type"] == "SCHEDULED"]

    runs = eventually(scheduled, 300, "the scheduler creates a run")
    assert runs[0]["parameters"]["migration"]["metadata"]["name"] == "window"

    deployed("window")
    (kept,) = server.deployment("migrate-cluster/window")["schedules"]
    assert kept["active"] is True
    assert kept["schedule"]["cron"] == "30 3 * * *"


def test_wrong_parameters_are_refused_with_their_field(server: PrefectServer, deployed: Deployed) -> None:
    deployed("fields")
    deployment = server.deployment("migrate-cluster/fields")
    for keys, value, named in (
        (("spec", "remove_docker"), "now", "after_migration"),
        (("spec", "max_unavailable"), "many", "max_unavailable"),
        (("spec", "drain", "tiemout"), 5, "tiemout"),
        (("metadata", "name"), "No Name", "No Name"),
    ):
        migration = copy.deepcopy(deployment["parameters"]["migration"])
        section = migration
        for key in keys[:-1]:
            section = section[key]
        section[keys[-1]] = value
        status, answer = start(server, deployment, parameters={"migration": migration})
        assert status == 409, (keys, status, answer)
        assert named in str(answer)


def test_a_second_run_is_refused_while_one_is_there(server: PrefectServer, deployed: Deployed) -> None:
    deployed("alone")
    deployment = server.deployment("migrate-cluster/alone")
    _, first = start(server, deployment)
    taken = server.ask("POST", f"/flow_runs/{first['id']}/set_state", {"state": {"type": "PENDING"}})
    assert taken["status"] == "ACCEPT", taken

    with ProcessWorker(server):
        second = server.run(*PREFECT, "deployment", "run", "migrate-cluster/alone", "--watch", check=False)
    assert second.returncode == 1
    assert "Cancelled" in second.stdout
    assert server.flow_run(first["id"])["state_type"] == "PENDING"


def test_a_run_by_a_worker_that_cannot_reach_the_cluster_fails(server: PrefectServer, deployed: Deployed) -> None:
    deployed("nowhere")
    with ProcessWorker(server):
        done = server.run(*PREFECT, "deployment", "run", "plan-cluster/nowhere", "--watch", check=False)
    assert done.returncode == 1
    assert "Failed" in done.stdout, done.stdout
