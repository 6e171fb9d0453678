"""The other ways in, on the finished cluster: the UI's form, a schedule, the command. Each finds nothing to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.steps import STEPS
from tests.e2e.look import cluster, node
from tests.e2e.migration import Migrated
from tests.e2e.pipeline import Pipeline
from tests.e2e.site import Site
from tests.e2e.wait import until
from tests.support.api_events import recorded
from tests.support.browser import assert_run_page, chromium, run_form
from tests.support.invariants import judge

_TERMINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@pytest.fixture(scope="module", autouse=True)
def scheduled(pipeline: Pipeline, migrated: Migrated) -> Iterator[None]:
    """Beside the maintenance window, which is off, a schedule that begins once, while the first tests here run."""
    deployment = pipeline.server.deployment(f"migrate-cluster/{pipeline.name}")
    (window,) = deployment["schedules"]
    assert window["active"] is False, "the maintenance window is on without anybody's word"
    begin = datetime.now(UTC) + timedelta(seconds=85)
    cron = f"{begin.minute} {begin.hour} {begin.day} {begin.month} *"
    wanted = [{"active": True, "schedule": {"cron": cron, "timezone": "UTC"}}]
    (made,) = pipeline.server.ask("POST", f"/deployments/{deployment['id']}/schedules", wanted)
    yield
    pipeline.server.ask("DELETE", f"/deployments/{deployment['id']}/schedules/{made['id']}")


@pytest.fixture(scope="module", autouse=True)
def _nothing_moves(site: Site, migrated: Migrated, output: Path) -> Iterator[None]:
    """By the API's own record of all runs here: no node went out, no pod was taken."""
    with recorded(site.directory / "admin.conf", output / "api-ways-in.jsonl") as api:
        yield
    verdict = judge(api.lines())
    assert (verdict.broken, verdict.turns, verdict.taken) == ([], [], [])


@pytest.fixture
def state(site: Site) -> Iterator[None]:
    """Nothing on the machines is changed by a run that has nothing to do."""
    were = {name: node.fingerprint(site, name) for name in site.nodes}
    yield
    assert {name: node.fingerprint(site, name) for name in site.nodes} == were


def test_the_command_finds_nothing_to_do(site: Site, pipeline: Pipeline, state: None) -> None:
    done = pipeline.cri_switch("migrate", "--yes", "-f", str(pipeline.file), "-o", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {each["name"]: each["outcome"] for each in report["nodes"]} == dict.fromkeys(site.nodes, "skipped")
    assert all(each["reason"].startswith("already on containerd://") for each in report["nodes"]), report


@pytest.mark.browser
def test_the_migrations_page_shows_its_nodes_and_their_steps(
    site: Site, pipeline: Pipeline, migrated: Migrated, tmp_path: Path
) -> None:
    worker = site.workers[-1]
    subflow = next(run["id"] for run in pipeline.server.subflows(migrated.run_id) if run["name"] == worker)
    steps = [f"{step.replace('_', '-')} {worker}" for step in STEPS]
    with chromium(tmp_path) as driver:
        url = pipeline.server.url
        assert_run_page(driver, url, migrated.run_id, state="Completed", subflows=site.nodes, picture="migration")
        assert_run_page(driver, url, subflow, state="Completed", tasks=steps, picture="migration-node")


def test_a_schedule_starts_a_run(site: Site, pipeline: Pipeline, scheduled: None, state: None) -> None:
    run = until("a scheduled run to begin", lambda: _scheduled(pipeline), 300, every=1)
    ended = _ended(pipeline, run["id"])
    assert ended["state_name"] == "Completed", pipeline.log_tail(run["id"])
    _all_skipped(site, pipeline, run["id"])


@pytest.mark.browser
def test_the_uis_form_starts_a_run(site: Site, pipeline: Pipeline, state: None, tmp_path: Path) -> None:
    deployment = pipeline.server.deployment(f"migrate-cluster/{pipeline.name}")
    with chromium(tmp_path) as driver:
        edits = {"migration.spec.drain.timeout": "601"}
        run_id = run_form(driver, pipeline.server.url, deployment["id"], edits)
        spec = pipeline.server.flow_run(run_id)["parameters"]["migration"]["spec"]
        assert spec["drain"]["timeout"] == 601
        assert _ended(pipeline, run_id)["state_name"] == "Completed", pipeline.log_tail(run_id)
        assert_run_page(driver, pipeline.server.url, run_id, state="Completed", tasks=["discover"], picture="form-run")
    _all_skipped(site, pipeline, run_id)


def _all_skipped(site: Site, pipeline: Pipeline, run_id: str) -> None:
    assert pipeline.server.subflows(run_id) == []
    rows = [line for line in pipeline.report().splitlines() if re.match(r"\| (cp1|w1|w2) ", line)]
    assert len(rows) == len(site.nodes)
    assert all("| skipped |" in row and "already on containerd://" in row for row in rows), rows
    assert set(cluster.runtimes(site).values()) == {"containerd://1.4.13"}


def _ended(pipeline: Pipeline, run_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        run = pipeline.server.flow_run(run_id)
        return run if run["state_type"] in _TERMINAL else None

    return until(f"run {run_id} to end", look, 300, every=1)


def _scheduled(pipeline: Pipeline) -> dict[str, Any] | None:
    return next((run for run in pipeline.started_runs() if run["auto_scheduled"]), None)
