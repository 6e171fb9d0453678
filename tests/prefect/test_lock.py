"""One migration at a time (DESIGN.md rule 9): real processes, a real server and worker, one simulated cluster."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cri_switch.cluster.lease import WATCH
from cri_switch.cluster.lease_holder import NAME, NAMESPACE
from cri_switch.model.errors import LockHeld
from tests.support.prefect_server import PrefectServer, ProcessWorker, eventually
from tests.support.processes import flow_processes
from tests.support.prometheus import Prometheus, answering
from tests.support.rehearsed import Rehearsed, held_by, rehearsed

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(1200)]
ELSEWHERE = "elsewhere:0:0:1:1-00"
"""A process of another machine: nobody here can tell whether it lives."""


HOLD = [("Hold", "firing")]
"""Alerts: the run that holds the Lease waits before its first node, until they are gone."""


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    with answering() as found:
        yield found


@pytest.fixture
def cluster(server: PrefectServer, tmp_path: Path, prometheus: Prometheus) -> Iterator[Rehearsed]:
    """A control plane and three workers."""
    spec = {"gate": {"checks": 1, "prometheus": {"url": prometheus.url}}, "stage_parallelism": 4}
    with rehearsed(server, tmp_path, nodes=4, control_planes=1, replicas=2, speed=10, spec=spec) as found:
        yield found


def test_three_started_together(server: PrefectServer, cluster: Rehearsed, prometheus: Prometheus) -> None:
    """Two deployments of the same cluster and the command: one works, the others are told by whom and since when."""
    prometheus.alerts = HOLD
    deployments = [cluster.deploy(cluster.settings(name)) for name in ("lock-a", "lock-b")]
    with ProcessWorker(server):
        runs = [cluster.create_run(each) for each in deployments]
        command = cluster.start("migrate", "-f", str(cluster.settings("lock-c")), "--yes")
        first = held_by(cluster)
        eventually(
            lambda: [*map(bool, map(cluster.end_of, runs)), command.process.poll() is not None].count(True) >= 2,
            400,
            "two of the three end",
        )
        prometheus.alerts = []
        ends = [cluster.ended(run) for run in runs]
        code = command.waited()
    said = [(end["state_type"], str(end["state"]["message"])) for end in ends]
    said.append(("COMPLETED" if code == 0 else "FAILED", command.said))
    assert sorted(state for state, _ in said) == ["COMPLETED", "FAILED", "FAILED"], said
    for state, message in said:
        if state == "FAILED":
            assert f"is held by {first.identity} since {first.since}" in message.replace("\n", " "), message
            assert "nothing was touched" in message
    assert code in (0, LockHeld.exit_code)
    assert cluster.holder() is None, "it is free again"


def test_flow_and_worker_killed(server: PrefectServer, cluster: Rehearsed) -> None:
    """Another migration is refused; the same one goes on at once, because the process is known to be dead."""
    file, other = cluster.settings("lock-d"), cluster.settings("lock-e", {"migration_id": "another"})
    deployment = cluster.deploy(file)
    with ProcessWorker(server) as worker:
        run = cluster.create_run(deployment)
        killed = held_by(cluster)
        eventually(lambda: any(each["name"] == "w1" for each in server.subflows(run)), 300, "the first node is begun")
        assert worker.process is not None
        for pid in flow_processes(worker.process.pid, run):
            os.kill(pid, signal.SIGKILL)
        worker.process.signal(signal.SIGKILL)
    refused = cluster.run("migrate", "-f", str(other), "--yes")
    assert refused.returncode == LockHeld.exit_code, refused.stderr
    assert f"is held by {killed.identity} since {killed.since}" in refused.stderr.replace("\n", " ")

    shown = cluster.run("unlock", "-f", str(file))
    assert shown.returncode == 0
    assert killed.identity in shown.stderr
    assert "Nothing was changed" in shown.stderr
    assert held_by(cluster).identity == killed.identity

    again = cluster.run("migrate", "-f", str(file), "--yes")
    assert again.returncode == 0, again.stderr
    assert f"taken over from {killed.identity}" in again.stderr


@pytest.mark.slow
def test_a_holder_of_another_machine(cluster: Rehearsed) -> None:
    """One that has expired is watched, then taken over by the same migration; another is told of `unlock`."""
    file, other = (cluster.settings(name, {"migration_id": name}) for name in ("lock-f", "lock-g"))
    gone = datetime.now(UTC) - timedelta(seconds=600)
    holds(cluster, f"lock-f/some-run/{ELSEWHERE}", gone)
    refused = cluster.run("migrate", "-f", str(other), "--yes")
    assert refused.returncode == LockHeld.exit_code, refused.stderr
    assert "(expired)" in refused.stderr
    assert "cri-switch unlock" in refused.stderr

    begun = datetime.now(UTC)
    command = cluster.start("migrate", "-f", str(file), "--yes")
    taken = held_by(cluster, lambda found: ELSEWHERE not in found.identity)
    assert (datetime.now(UTC) - begun).total_seconds() > WATCH
    assert taken.migration == "lock-f"
    assert command.waited() == 0, command.said


@pytest.mark.slow
def test_unlock_takes_it_from_a_run_that_lives(cluster: Rehearsed, prometheus: Prometheus) -> None:
    """A person's word counts; the run hears of it at its next renewal, starts no further step, and the next resumes."""
    prometheus.alerts = HOLD
    file = str(cluster.settings("lock-h"))
    command = cluster.start("migrate", "-f", file, "--yes")
    held = held_by(cluster)
    freed = cluster.run("unlock", "-f", file, "--yes")
    assert freed.returncode == 0, freed.stderr
    assert held.identity in freed.stderr
    holds(cluster, f"another/run/{ELSEWHERE}", datetime.now(UTC))
    assert command.waited() == LockHeld.exit_code, command.said
    assert "the Lease is lost: somebody freed it" in command.said or "the Lease is lost: another/run" in command.said
    prometheus.alerts = []

    refused = cluster.run("migrate", "-f", file, "--yes")
    assert refused.returncode == LockHeld.exit_code, refused.stderr
    assert cluster.run("unlock", "-f", file, "--yes").returncode == 0
    again = cluster.run("migrate", "-f", file, "--yes")
    assert again.returncode == 0, again.stderr


def holds(cluster: Rehearsed, identity: str, renewed: datetime) -> None:
    """Put a holder into the Lease, as another machine would."""
    time = renewed.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": identity, "leaseDurationSeconds": 180, "acquireTime": time, "renewTime": time}
    admin = cluster.admin
    if admin.get("Lease", NAME, NAMESPACE) is None:
        admin.create("Lease", {"metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": spec}, namespace=NAMESPACE)
    else:
        admin.patch("Lease", NAME, {"spec": spec}, namespace=NAMESPACE)
