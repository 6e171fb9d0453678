"""`cri-switch migrate` of one node as a user types it, with a fault or without, and what it says in the end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.settings import settings, write
from tests.e2e.site import Site
from tests.support.invariants import Promise
from tests.support.kept import kept

_ROOT = Path(__file__).parents[2]
_SECONDS = 840
KILLED = -9
_LOCKED = 8


@dataclass(frozen=True)
class Ended:
    """A run that ended; `report` is what it wrote on stdout."""

    exit_code: int
    seconds: float
    report: dict[str, Any]
    log: str

    @property
    def outcomes(self) -> dict[str, str]:
        """Node -> outcome, of the nodes that were chosen."""
        return {
            node["name"]: node["outcome"]
            for node in self.report["nodes"]
            if not node["reason"].startswith("not chosen")
        }


@dataclass(frozen=True)
class Runs:
    """Where runs of one test are made: every test has its own checkpoints; `server` is Prefect's API.

    What the API says of each run while it is at work is recorded, and judged (DESIGN.md rule 4).
    """

    site: Site
    place: Path
    logs: Path
    server: str

    def migrate(self, nodes: Sequence[str], fault: Sequence[str] | None = None, **spec: Any) -> Ended:
        """Migrate these nodes, Docker's packages stay; `fault` is (node, step, when, lab command...): see runner.

        `spec` changes the settings, for this run and for those after it that say nothing else.
        """
        self._write({"nodes": {"limit": list(nodes)}, "remove_docker": "never", "backup": {"skip": True}} | spec)
        name = "-".join([*(fault or nodes)[:3]]).replace("*", "all")
        failures = int(spec.get("max_failures", 0))
        return self._run(name, fault, self._promise(nodes, behind=failures), "migrate")

    def rollback(self, node: str) -> Ended:
        """`cri-switch rollback NODE` with the settings of the last run."""
        promise = self._promise([node], behind=len(self.site.nodes))  # taken back in any order
        return self._run(f"rollback-{node}", None, promise, "rollback", node)

    def _promise(self, nodes: Sequence[str], *, behind: int) -> Promise:
        alone = () if "*" in nodes else set(self.site.nodes) - set(nodes)
        return Promise(left_alone=frozenset(alone), behind=behind)

    def _write(self, spec: Mapping[str, Any]) -> None:
        write(self.file, settings(self.site, spec))

    @property
    def file(self) -> Path:
        """The settings file."""
        return self.place / "migration.yaml"

    def _run(self, name: str, fault: Sequence[str] | None, promise: Promise, *words: str) -> Ended:
        program = [sys.executable, "-m", "tests.faults.runner"]
        injected = [word.replace("--", "@@") for word in fault or ("none",)]
        killed = fault is not None and fault[2] == "kill"  # the only control plane may be out then
        with kept(self.site.directory / "admin.conf", self.logs / f"{name}-api.jsonl", promise, cut=killed):
            begun = time.monotonic()
            done = subprocess.run(
                [*program, *injected, "--", *words, "-f", str(self.file), "--yes", "-o", "json"],
                cwd=_ROOT, env=self._environment(), check=False, capture_output=True, text=True, timeout=_SECONDS,
            )  # fmt: skip
            seconds = time.monotonic() - begun
            (self.logs / f"{name}.log").write_text(done.stderr)
        report = json.loads(done.stdout) if done.stdout.startswith("{") else {"nodes": []}
        return Ended(done.returncode, seconds, report, done.stderr)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        return kept | {
            "PREFECT_API_URL": self.server,
            "PREFECT_HOME": str(self.place / "prefect"),
            "PREFECT_LOCAL_STORAGE_PATH": str(self.place / "results"),
            "XDG_STATE_HOME": str(self.place / "state"),
            "NO_COLOR": "1",
        }


def in_turn(run: Callable[[], Ended]) -> Ended:
    """The Lease of the killed run expires in the end; until then the next one is refused, and says by whom."""
    for _ in range(40):
        ended = run()
        if ended.exit_code != _LOCKED:
            return ended
    return ended


def is_unhealthy(runs: Runs, ended: Ended, node: str) -> None:
    """Exit code, outcome, the state, what was done and the literal next command."""
    assert (ended.exit_code, ended.outcomes[node]) == (7, "unhealthy"), ended.log[-3000:]
    assert "the way back to Docker failed" in ended.log
    assert "neither proven on Docker nor on the new runtime" in ended.log
    assert re.search(rf"^next: .*cri-switch rollback {node} -f {runs.file} --yes", ended.log, re.MULTILINE)
    assert "on the way back" in ended.log
