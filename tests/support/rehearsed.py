"""A simulated cluster in a process of its own; the real commands and deployments on it, with a real Prefect server."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.lease_holder import Holder, holder
from cri_switch.model.migration import ClusterAccess
from cri_switch.rehearsal.process import RehearsalProcess, Wish
from tests.support.prefect_server import PROJECT, PrefectServer, eventually

CRI_SWITCH = [sys.executable, "-m", "cri_switch.cli"]
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass
class Running:
    """A command that was started; its output goes to files."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """What it has said so far on stderr."""
        return self.log.read_text(errors="replace")

    def waited(self, seconds: float = 400) -> int:
        """Its exit code."""
        return self.process.wait(seconds)


@dataclass
class Rehearsed:
    """One cluster; every settings file of `settings` is of it."""

    rehearsal: RehearsalProcess
    server: PrefectServer
    directory: Path

    @property
    def admin(self) -> Cluster:
        """The API as its administrator."""
        return Cluster.open(ClusterAccess(kubeconfig=str(self.directory / "cluster" / "admin.conf")))

    def holder(self) -> Holder | None:
        """Who holds the Lease; None where nobody does."""
        found = holder(self.admin)
        return found if found is not None and found.identity else None

    def cordoned(self) -> list[str]:
        """Nodes that take no new pods."""
        return [node["metadata"]["name"] for node in self.admin.list("Node") if node["spec"].get("unschedulable")]

    def hold(self) -> None:
        """No pod of the web may be evicted: the run that drains a node waits there."""
        self.admin.patch("PodDisruptionBudget", "web", {"spec": {"minAvailable": "100%"}}, namespace="shop")

    def let_go(self) -> None:
        """One may be again."""
        self.admin.patch("PodDisruptionBudget", "web", {"spec": {"minAvailable": 1}}, namespace="shop")

    def settings(self, name: str, spec: Mapping[str, Any] | None = None) -> Path:
        """A settings file of that name with changes to `spec`."""
        document = yaml.safe_load((self.rehearsal.directory / "migration.yaml").read_text())
        document["metadata"]["name"] = name
        document["spec"] |= dict(spec or {})
        file = self.directory / f"{name}.yaml"
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        return file

    def start(self, *words: str) -> Running:
        """`cri-switch ...`, started; ended with the block of `rehearsed` at the latest."""
        number = len(list(self.directory.glob("run-*.log")))
        log = self.directory / f"run-{number}.log"
        with log.open("wb") as err, log.with_suffix(".out").open("wb") as out:
            process = subprocess.Popen(
                [*CRI_SWITCH, *words],
                cwd=PROJECT, env=self.server.env(), stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip
        self._started.append(process)
        return Running(process, log)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`cri-switch ...` to its end; the exit code is the caller's to judge."""
        return self.server.run(*CRI_SWITCH, *words, check=False, timeout=900)

    def deploy(self, file: Path) -> dict[str, Any]:
        """The deployment migrate-cluster of a settings file."""
        self.server.run(*CRI_SWITCH, "deploy", "-f", str(file), timeout=900)
        return self.server.deployment(f"migrate-cluster/{file.stem}")

    def create_run(self, deployment: Mapping[str, Any], spec: Mapping[str, Any] | None = None) -> str:
        """A flow run of a deployment, with changes to its parameters' `spec`, for a worker to take; its id."""
        parameters = copy.deepcopy(deployment["parameters"])
        parameters["migration"]["spec"] |= dict(spec or {})
        body = {"parameters": parameters}
        run: dict[str, Any] = self.server.ask("POST", f"/deployments/{deployment['id']}/create_flow_run", body)
        return str(run["id"])

    def ended(self, run: str, seconds: float = 400) -> dict[str, Any]:
        """A flow run in its last state."""

        return eventually(lambda: self.end_of(run), seconds, f"flow run {run} ends") or {}

    def end_of(self, run: str) -> dict[str, Any] | None:
        """A flow run in its last state; None while it is in none."""
        found = self.server.flow_run(run)
        return found if found["state_type"] in ENDED else None

    def end(self) -> None:
        """What was started and still runs."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.wait(10)

    def __post_init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []


@contextmanager
def rehearsed(server: PrefectServer, directory: Path, **wish: Any) -> Iterator[Rehearsed]:
    """A cluster until the block ends; what the simulator saw go wrong is an error then."""
    (directory / "cluster").mkdir(mode=0o700)
    with RehearsalProcess(Wish(directory=str(directory / "cluster"), **wish)) as rehearsal:
        rehearsal.wait()
        found = Rehearsed(rehearsal, server, directory)
        try:
            yield found
            seen = rehearsal.seen()
            assert (seen.broken, seen.complaints, seen.unfinished) == ([], [], [])
        finally:
            found.end()


def held_by(cluster: Rehearsed, wanted: Callable[[Holder], bool] = lambda _h: True, seconds: float = 300) -> Holder:
    """Wait until somebody (whom `wanted` likes) holds the Lease."""

    def look() -> Holder | None:
        found = cluster.holder()
        return found if found is not None and wanted(found) else None

    found = eventually(look, seconds, "somebody holds the Lease")
    assert found is not None
    return found
