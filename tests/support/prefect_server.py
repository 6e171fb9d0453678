"""A real Prefect server and worker from the locked packages, with a database and result storage of their own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx

from cri_switch.cli.engine import SETTINGS, STORAGE
from tests.support.processes import OwnProcess

PROJECT = Path(__file__).resolve().parents[2]
PREFECT = [sys.executable, "-m", "prefect"]
Answer = TypeVar("Answer")


def eventually(question: Callable[[], Answer], seconds: float, what: str) -> Answer:
    """The first answer that is true, asked twice a second."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what} (last answer: {answer!r})")
        time.sleep(0.5)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class PrefectServer:
    """`with PrefectServer(directory) as server`: healthy on a loopback port until the block ends.

    `prefix` is put before its command and those of `run` and ProcessWorker, so that they run inside a lab's network.
    Seen from outside such a network, `api` is not to be reached: ask through `ask`, which uses the prefix too.
    """

    def __init__(self, directory: Path, prefix: Sequence[str] = (), settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self.prefix = list(prefix)
        self.port = free_port()
        self.settings = dict(settings or {})
        self.url = f"http://127.0.0.1:{self.port}"
        self.api = f"{self.url}/api"
        self.storage = directory / "results"
        self.process: OwnProcess | None = None

    def env(self) -> dict[str, str]:
        """The environment for clients: this server, this storage, nothing of the user's own Prefect."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        return {
            **clean,
            **SETTINGS,
            "PREFECT_HOME": str(self.directory / "home"),
            "PREFECT_API_URL": self.api,
            STORAGE: str(self.storage),
            "PREFECT_LOGGING_COLORS": "false",
            "PREFECT_CLI_COLORS": "false",
            "NO_COLOR": "1",
            "COLUMNS": "200",
            **self.settings,
        }

    def start(self) -> None:
        """Start it on the same database as before, if it was stopped."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.storage.mkdir(mode=0o700, exist_ok=True)
        database = f"sqlite+aiosqlite:///{self.directory / 'prefect.db'}"
        env = {**self.env(), "PREFECT_API_DATABASE_CONNECTION_URL": database, "PREFECT_UI_API_URL": self.api}
        command = [*self.prefix, *PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = OwnProcess(command, env, self.directory / "server.log")
        try:
            eventually(self._healthy, 240, "the Prefect server is healthy")
        except AssertionError as problem:
            problem.add_note(self.process.tail())
            self.stop()
            raise

    def stop(self) -> None:
        if self.process is not None:
            self.process.end()
            self.process = None

    def __enter__(self) -> PrefectServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def run(self, *argv: str, check: bool = True, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """A command with this server's environment, in the project's root."""
        done = subprocess.run(
            [*self.prefix, *argv],
            cwd=PROJECT,
            env=self.env(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{' '.join(argv)}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def ask(self, method: str, path: str, body: Any = None, *, expect: int | None = None) -> Any:
        """The API's JSON answer, with 503 retried; `expect` is the status that it must have."""
        status, answer = self.status_of(method, path, body)
        good = status == expect if expect is not None else status < 400
        assert good, f"{method} {path}: {status} {answer}"
        return answer

    def status_of(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The API's status and JSON answer."""
        for _ in range(10):
            status, answer = _call(self.prefix, method, f"{self.api}{path}", body)
            if status != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(1)
        return status, answer

    def deployment(self, name: str) -> dict[str, Any]:
        """A deployment by `flow/name`."""
        found: dict[str, Any] = self.ask("GET", f"/deployments/name/{name}")
        return found

    def flow_run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/flow_runs/{run_id}")
        return found

    def task_runs(self, run_id: str) -> list[dict[str, Any]]:
        """The task runs of one flow run."""
        body = {"flow_runs": {"id": {"any_": [run_id]}}, "limit": 200}
        found: list[dict[str, Any]] = self.ask("POST", "/task_runs/filter", body)
        return found

    def subflows(self, run_id: str) -> list[dict[str, Any]]:
        """The flow runs that a flow run started."""
        body = {"flow_runs": {"parent_flow_run_id": {"any_": [run_id]}}, "limit": 200}
        found: list[dict[str, Any]] = self.ask("POST", "/flow_runs/filter", body)
        return found

    def _healthy(self) -> bool:
        assert self.process is not None
        assert self.process.running, f"the Prefect server ended:\n{self.process.tail()}"
        try:
            return _call(self.prefix, "GET", f"{self.api}/health", None)[0] == httpx.codes.OK
        except (httpx.TransportError, ConnectionError):
            return False


class ProcessWorker:
    """`with ProcessWorker(server)`: a worker of the pool, online until the block ends; flows end with it."""

    def __init__(self, server: PrefectServer, pool: str = "cri-switch", poll_seconds: float = 2) -> None:
        self.server = server
        self.pool = pool
        self.poll_seconds = poll_seconds
        self.process: OwnProcess | None = None

    def __enter__(self) -> ProcessWorker:
        server = self.server
        command = [*server.prefix, *PREFECT, "worker", "start", "--pool", self.pool, "--type", "process"]
        env = {**server.env(), "PREFECT_WORKER_QUERY_SECONDS": str(self.poll_seconds)}
        self.process = OwnProcess(command, env, server.directory / "worker.log")
        try:
            eventually(self._online, 180, f"a worker of pool {self.pool} is online")
        except AssertionError as problem:
            problem.add_note(self.process.tail())
            self.stop()
            raise
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.end()
            self.process = None

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _online(self) -> bool:
        assert self.process is not None
        assert self.process.running, f"the worker ended:\n{self.process.tail()}"
        status, found = self.server.status_of("POST", f"/work_pools/{self.pool}/workers/filter", {})
        return status == httpx.codes.OK and any(each["status"] == "ONLINE" for each in found)


_ASK = """
import json, sys, httpx
method, url, body = json.load(sys.stdin)
answer = httpx.request(method, url, json=body, timeout=30)
print(json.dumps([answer.status_code, answer.json() if answer.content else None]))
"""


def _call(prefix: Sequence[str], method: str, url: str, body: Any) -> tuple[int, Any]:
    if not prefix:
        answer = httpx.request(method, url, json=body, timeout=30)
        return answer.status_code, answer.json() if answer.content else None
    return _call_inside(prefix, method, url, body)


def _call_inside(prefix: Sequence[str], method: str, url: str, body: Any) -> tuple[int, Any]:
    done = subprocess.run(
        [*prefix, sys.executable, "-c", _ASK],
        input=json.dumps([method, url, body]),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise ConnectionError(done.stderr[-2000:])
    status, answer = json.loads(done.stdout)
    return status, answer
