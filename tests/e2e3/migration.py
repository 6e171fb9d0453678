"""The one migration: started as a user does, with the API, the Service, the nodes and etcd watched from outside."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.look.prober import Record, probing
from tests.e2e.pipeline import Pipeline
from tests.e2e.site import Site
from tests.e2e3.leader import Leaders, watching_leader
from tests.support.api_events import recorded
from tests.support.client_tls import server_of
from tests.support.invariants import Turn, Verdict, judge

_WHOLE = 1200
_CUT = ("ConnectionResetError", "RemoteDisconnected", "IncompleteRead", "SSLEOFError", "SSLZeroReturnError")


@dataclass(frozen=True)
class Migrated:
    """What was seen of it."""

    run_id: str
    verdict: Verdict
    leaders: Leaders
    api: Record
    service: Record

    @property
    def plane_turns(self) -> list[Turn]:
        """The control-plane nodes' times out of service, in order."""
        return [turn for turn in self.verdict.turns if turn.node.startswith("cp")]

    @property
    def control_planes(self) -> tuple[datetime, datetime]:
        """From the first one's cordon to the last one's return."""
        turns = self.plane_turns
        return datetime.fromisoformat(turns[0].begun), datetime.fromisoformat(turns[-1].ended)

    def in_a_turn(self, time: str) -> bool:
        """Whether a control-plane node was out then."""
        return any(turn.begun <= time <= turn.ended for turn in self.plane_turns)


def is_cut(line: dict[str, Any]) -> bool:
    """Whether a request ended as one whose API server stops: the connection was there, and no answer came."""
    return str(line["error"]).split(":")[0] in _CUT


def migrate(site: Site, pipeline: Pipeline, output: Path) -> Migrated:
    """`prefect deployment run --watch` to its end."""
    admin = site.directory / "admin.conf"
    url = f"{server_of(admin)}/api/v1/nodes/{site.workers[0]}"
    with (
        probing(site.inside, output / "service.jsonl") as service,
        probing(site.inside, output / "api-probe.jsonl", url, "--kubeconfig", str(admin)) as api,
        watching_leader(site) as leaders,
        recorded(admin, output / "api.jsonl") as events,
    ):
        time.sleep(2)
        began = time.monotonic()
        command = pipeline.start_migration(output / "run.log")
        try:
            code = command.wait(_WHOLE)
        finally:
            if command.poll() is None:
                command.kill()
        seconds = time.monotonic() - began
        run = pipeline.started_runs()[0]["id"]
        (output / "flow.log").write_text(pipeline.log_tail(run, 200))
        if code != 0:
            pytest.fail(f"the run ended with {code}:\n{pipeline.log_tail(run)}")
        (output / "report.md").write_text(pipeline.report())
        time.sleep(2)
    done = Migrated(run, judge(events.lines()), leaders, api, service)
    failed = api.failures(*done.control_planes)
    measured = {
        "seconds of the run": round(seconds, 1),
        "API through haproxy": api.summary(),
        "while control planes went": {
            "connections cut": sum(1 for line in failed if is_cut(line)),
            "other failures": sum(1 for line in failed if not is_cut(line)),
            "longest time without an answer, where over a second": api.longest_gap(*done.control_planes),
        },
        "Service": service.summary(),
        "etcd's leaders": [node for _time, node in leaders.seen],
        "turns": [vars(turn) for turn in done.verdict.turns],
    }
    (output / "measured.json").write_text(json.dumps(measured, indent=2) + "\n")
    return done
