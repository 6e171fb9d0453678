"""A Prefect server of this command's own, for as long as a person looks at it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from cri_switch.cli.engine import SERVER_LEVEL
from cri_switch.model.errors import Unreachable

_START_SECONDS = 120.0


class LocalServer:
    """`prefect server start` on a free port of 127.0.0.1, its database in `directory`.

    It comes up beside what its caller does: `wait_up` for it. Without `ui` nobody will look: it keeps flow runs and
    artifacts as the engine needs them, and the services that record every task run's states and events are left out.
    """

    def __init__(self, directory: Path, *, ui: bool) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.api = f"{self.url}/api"
        self._directory = directory
        self._ui = ui
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        words = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        words += ["--ui"] if self._ui else ["--no-ui", "--no-services"]
        environment = {**os.environ, "PREFECT_UI_API_URL": self.api, SERVER_LEVEL: "WARNING"}
        with (self._directory / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def wait_up(self) -> None:
        """Until it answers. Raises Unreachable: it has ended, or does not answer in time (a busy machine)."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._healthy():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                said = (self._directory / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:]
                self._end()
                why = "ended when it started" if ended else f"did not answer within {_START_SECONDS:.0f} s"
                raise Unreachable(f"Prefect's server {why}:\n{said}", next_step="run the same command again")
            time.sleep(0.1)

    def last_run(self, flow: str) -> str:
        """The address of the newest run of a flow in the UI; the UI's own where there is none."""
        wanted = {"flows": {"name": {"any_": [flow]}}, "sort": "START_TIME_DESC", "limit": 1}
        found = httpx.post(f"{self.api}/flow_runs/filter", json=wanted, timeout=20).raise_for_status().json()
        return f"{self.url}/runs/flow-run/{found[0]['id']}" if found else self.url

    def wait(self) -> None:
        """Until it ends, or Ctrl-C, which is a good end."""
        if self._process is not None:
            try:
                self._process.wait()
            except KeyboardInterrupt:
                return

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.api}/health", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def _end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(15)
