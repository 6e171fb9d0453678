"""The pipeline as a user starts it: the commands, a real server and a worker, and the flow's process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.settings import settings, write
from tests.e2e.site import Site
from tests.e2e.wait import until
from tests.support.prefect_server import PREFECT, PrefectServer, ProcessWorker
from tests.support.processes import flow_processes

PROGRAM = str(Path(sys.executable).with_name("cri-switch"))


class Pipeline:
    """One server, one worker, and the deployments of one settings file."""

    def __init__(self, server: PrefectServer, worker: ProcessWorker, name: str, file: Path) -> None:
        self.server = server
        self.worker = worker
        self.name = name
        self.file = file

    def anew(self) -> None:
        """The server's database is lost: a new one, with the deployments and the automation that are shipped."""
        self.worker.stop()
        self.server.stop()
        for each in self.server.directory.glob("prefect.db*"):
            each.unlink()
        self.server.start()
        self.register()
        self.worker.__enter__()

    def register(self) -> None:
        """The deployments of the settings file, and the automation that sees dead runs."""
        self.server.run(PROGRAM, "deploy", "-f", str(self.file))
        self.server.run(*PREFECT, "automation", "create", "--from-file", "deployments/automations.yaml")

    def cri_switch(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """The command, to its end; its exit code is the caller's to judge."""
        return self.server.run(PROGRAM, *arguments, check=False, timeout=timeout)

    def start_migration(self, log: Path) -> subprocess.Popen[bytes]:
        """`prefect deployment run migrate-cluster/NAME --watch`, started."""
        command = [*PREFECT, "deployment", "run", f"migrate-cluster/{self.name}", "--watch"]
        with log.open("wb") as stream:
            return subprocess.Popen(
                command, env=self.server.env(), stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
            )

    @contextmanager
    def watched_status(self, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """`cri-switch status -w`, which ends with the run; it knows no Prefect."""
        command = [PROGRAM, "status", "-w", "-f", str(self.file), "-o", "json"]
        env = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
        with log.open("wb") as out, log.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)

    def started_runs(self) -> list[dict[str, Any]]:
        """The runs of migrate-cluster/NAME that have begun, the newest first; a schedule's future ones are many."""
        deployment = self.server.deployment(f"migrate-cluster/{self.name}")["id"]
        body = {
            "deployments": {"id": {"any_": [deployment]}},
            "flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED", "PENDING"]}}},
            "sort": "START_TIME_DESC",
            "limit": 50,
        }
        found: list[dict[str, Any]] = self.server.ask("POST", "/flow_runs/filter", body)
        return found

    def flow_processes(self, run_id: str) -> list[int]:
        """The worker's processes that execute this run."""
        assert self.worker.process is not None
        return flow_processes(self.worker.process.pid, run_id)

    def kill_flow(self, run_id: str) -> list[int]:
        """SIGKILL to the processes of a run, and wait until they are gone; the worker lives on."""
        found = self.flow_processes(run_id)
        assert found, f"no process of flow run {run_id} below the worker:\n{self.worker_log()}"
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        until("the flow's processes to be gone", lambda: not self.flow_processes(run_id), 60, every=0.1)
        return found

    def log_tail(self, run_id: str, lines: int = 80) -> str:
        """The end of a run's log with its subflows', as the UI shows it."""
        ids = [run_id, *(each["id"] for each in self.server.subflows(run_id))]
        body = {"logs": {"flow_run_id": {"any_": ids}}, "sort": "TIMESTAMP_DESC", "limit": lines}
        found = self.server.ask("POST", "/logs/filter", body)
        return "\n".join(f"{line['timestamp'][11:23]} {line['message']}" for line in reversed(found))

    def worker_log(self) -> str:
        assert self.worker.process is not None
        return self.worker.process.tail()

    def report(self) -> str:
        """The newest report artifact, as the UI shows it."""
        body = {"artifacts": {"key": {"any_": [f"report-{self.name}"]}}, "sort": "CREATED_DESC", "limit": 1}
        found = self.server.ask("POST", "/artifacts/filter", body)
        assert found, f"no artifact report-{self.name}"
        return str(found[0]["data"])


@contextmanager
def deployed(
    site: Site,
    directory: Path,
    server_settings: Mapping[str, str] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Iterator[Pipeline]:
    """A server with a fresh database, fresh result storage, a worker, and the deployments of the lab's settings."""
    with PrefectServer(directory, settings=server_settings) as server:
        file = write(directory / "migration.yaml", settings(site, changes))
        said = server.run(PROGRAM, "deploy", "-f", str(file))
        assert f"migrate-cluster/{site.name}" in said.stdout.split(), said.stdout
        with ProcessWorker(server) as worker:
            yield Pipeline(server, worker, site.name, file)
