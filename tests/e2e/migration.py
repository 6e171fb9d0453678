"""The one migration of the session: started as a user does, killed in its first drain, started again."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.look import checkpoints, cluster
from tests.e2e.look.prober import Record, probing
from tests.e2e.pipeline import Pipeline
from tests.e2e.settings import settings, write
from tests.e2e.site import Site
from tests.e2e.timeline import Timeline, watching
from tests.e2e.wait import until
from tests.support.api_events import Recording, recorded

_FIRST_DRAIN = 300
_WHOLE = 900


@dataclass(frozen=True)
class Migrated:
    """What was seen of it from outside."""

    started: datetime
    ended: datetime
    first_worker: str
    killed: datetime
    killed_exit_code: int
    exit_code: int
    console: str
    run_id: str
    journal_at_kill: dict[str, list[dict[str, Any]]]
    results_at_kill: dict[str, tuple[float, int]]
    timeline: Timeline
    prober: Record
    api: Recording
    status_at_kill: dict[str, Any]
    watched: list[dict[str, Any]]
    refused: dict[str, subprocess.CompletedProcess[str]]


def migrate_with_a_kill(site: Site, pipeline: Pipeline, output: Path) -> Migrated:
    """Run it until a pod of the first worker is going, kill the flow, run it again to its end."""
    with (
        probing(site.inside, output / "prober.jsonl") as prober,
        recorded(site.directory / "admin.conf", output / "api.jsonl") as api,
        watching(site) as timeline,
    ):
        time.sleep(2)
        started = datetime.now(UTC)
        with _command(pipeline, output / "run-1.log") as first:
            worker = _first_drain(site, first, pipeline, output / "run-1.log")
            run = pipeline.started_runs()[0]["id"]
            pipeline.kill_flow(run)
            killed = datetime.now(UTC)
            journal = {name: _journal(site, name) for name in site.nodes}
            results = checkpoints.results(pipeline.server.storage)
            killed_code = first.wait(120)
        refused = {"another migration": _another(site, pipeline)}
        status_at_kill = json.loads(pipeline.cri_switch("status", "-f", str(pipeline.file), "-o", "json").stdout)
        with _command(pipeline, output / "run-2.log") as second:
            until("the second run to hold the Lease", lambda: len(api.holders()) > 1, _FIRST_DRAIN)
            refused["the command line beside the deployment"] = pipeline.cri_switch(
                "migrate", "-f", str(pipeline.file), "--yes"
            )
            with pipeline.watched_status(output / "status.jsonl") as status:
                code = second.wait(_WHOLE)
                status.wait(60)
        ended = datetime.now(UTC)
        last = pipeline.started_runs()[0]["id"]
        console = (output / "run-2.log").read_text()
        (output / "flow.log").write_text(pipeline.log_tail(last, 200))
        if code == 0:
            (output / "report.md").write_text(pipeline.report())
        else:
            pytest.fail(f"the second run ended with {code}:\n{console[-2000:]}\n{pipeline.log_tail(last)}")
        time.sleep(2)
    measured = {
        "seconds of both runs": round((ended - started).total_seconds(), 1),
        "seconds until the kill": round((killed - started).total_seconds(), 1),
        "seconds of the longest time without an answer of the API": round(timeline.api_away(), 1),
        "prober": prober.summary(),
    }
    (output / "measured.json").write_text(json.dumps(measured, indent=2) + "\n")
    return Migrated(
        started, ended, worker, killed, killed_code, code, console, last, journal, results,
        timeline, prober, api, status_at_kill, looks(output / "status.jsonl"), refused,
    )  # fmt: skip


def _another(site: Site, pipeline: Pipeline) -> subprocess.CompletedProcess[str]:
    """Another migration of the same cluster, while the killed one's Lease is there."""
    file = write(pipeline.file.with_name("another.yaml"), settings(site, {"migration_id": "another"}))
    return pipeline.cri_switch("migrate", "-f", str(file), "--yes")


def looks(log: Path) -> list[dict[str, Any]]:
    """What `status -w -o json` showed, one document after the other."""
    return [json.loads(part + "}") for part in log.read_text().strip().split("\n}")[:-1]]


@contextmanager
def _command(pipeline: Pipeline, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = pipeline.start_migration(log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)


def _first_drain(site: Site, command: subprocess.Popen[bytes], pipeline: Pipeline, log: Path) -> str:
    """The worker on which the first pod of the Deployment is going: its drain is on the way, and not at its end."""

    def going() -> str:
        if command.poll() is not None:
            runs = pipeline.started_runs()
            said = pipeline.log_tail(runs[0]["id"]) if runs else pipeline.worker_log()
            pytest.fail(f"the run ended before a drain was seen:\n{log.read_text()[-2000:]}\n{said}")
        return next((node for node, _ in cluster.terminating(site, "web")), "")

    return until("the first drain", going, _FIRST_DRAIN, every=0.2)


def _journal(site: Site, name: str) -> list[dict[str, Any]]:
    return checkpoints.journal(site, name) if site.code(name, "test", "-d", "/var/lib/cri-switch") == 0 else []
