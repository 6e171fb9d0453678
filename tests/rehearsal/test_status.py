"""Where a migration stands, and what one node says, on a simulated cluster; Prefect is nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cri_switch.cli.commands.status import age, follow
from cri_switch.cli.node_facts import flat, node_facts
from cri_switch.cli.standing import standing
from cri_switch.cluster.cordon import cordon
from cri_switch.cluster.inventory import inventory
from cri_switch.cluster.lease import Lease
from cri_switch.cluster.mark import mark
from cri_switch.model.errors import Unreachable
from cri_switch.model.migration_id import migration_id
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.standing import NodeStanding, Standing
from cri_switch.node.command import Result
from cri_switch.node.connection import Connection
from cri_switch.node.journal import Entry, append
from cri_switch.node.transfer import Download
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.connection import MemoryConnection
from tests.rehearsal.engineless import Engineless


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engineless:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=4, control_planes=1), clock)
    clock.passed = world.tick
    made = Engineless(world, Path(tmp_path_factory.mktemp("status")))
    made.run(made.migration(nodes={"limit": ["w1"]}))
    return made


def look(engine: Engineless, away: str = "") -> Standing:
    def reach(ref: NodeRef) -> Connection:
        if ref.name == away:
            raise Unreachable(f"{away} does not answer")
        return MemoryConnection(engine.world.machines[ref.name], Result, Download)

    now = datetime.fromtimestamp(engine.world.clock.now(), UTC)
    return standing(engine.cluster(), reach, engine.migration(), now=now, file="m.yaml")


def of(found: Standing, name: str) -> NodeStanding:
    return next(node for node in found.nodes if node.name == name)


def test_after_a_run(engine: Engineless) -> None:
    found = look(engine, away="w3")
    assert (found.holder, found.running) == ("", False)
    assert found.summary == "3 untouched, 1 migrated."
    done = of(found, "w1")
    assert (done.phase, done.attempt, done.step, done.event, done.cordon) == (
        "migrated",
        1,
        "remove_docker",
        "done",
        "",
    )
    assert done.runtime.startswith("containerd://")
    assert done.at is not None
    assert (of(found, "w2").phase, of(found, "w2").attempt) == ("untouched", None)
    assert of(found, "w3").problem == "w3 does not answer"


def test_half_done_with_and_without_a_run(engine: Engineless) -> None:
    api, mine = engine.cluster(), migration_id(engine.migration(), engine.cluster().uid())
    ref = next(node for node in inventory(api) if node.name == "w2")
    mark(api, ref, mine)
    cordon(api, ref, mine)
    connection = MemoryConnection(engine.world.machines["w2"], Result, Download)
    append(connection, mine, Entry(1.0, "run", 2, "stop_docker", "started"))
    node = of(look(engine), "w2")
    assert (node.phase, node.attempt, node.step, node.event) == ("half-done", 2, "stop_docker", "started")
    assert node.cordon == "cri-switch"
    assert node.next == "cri-switch migrate -f m.yaml --yes: it goes on here"
    append(connection, mine, Entry(2.0, "run", 2, "rollback", "failed"))
    assert of(look(engine), "w2").next == "cri-switch rollback w2 -f m.yaml --yes"
    clock = engine.world.clock
    lease = Lease(
        api, mine, "run", sleep=clock.sleep, clock=clock.now, wall=lambda: datetime.fromtimestamp(clock.now(), UTC)
    )
    lease.take()
    found = look(engine)
    assert found.running
    assert found.holder.startswith(f"{mine}/run/")
    assert of(found, "w2").phase == "migrating"
    clock.leap(400)
    assert not look(engine).running


def test_watch_ends_with_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    def seen(**changes: object) -> Standing:
        node = NodeStanding(
            name="w1", role="worker", ready=True, kubelet_version="v1", runtime="docker://20", phase="migrating"
        )
        base = {"migration": "m", "migration_id": "i", "cluster_uid": "u", "target": "containerd", "nodes": (node,)}
        return Standing.model_validate({**base, "holder": "x/y/z", "running": True, **changes})

    looks: Iterator[Standing | Unreachable] = iter(
        [seen(), seen(renewed="later"), Unreachable("the API is away"), seen(holder="", running=False)]
    )

    def ask() -> Standing:
        answer = next(looks)
        if isinstance(answer, Unreachable):
            raise answer
        return answer

    follow(ask, "json", watch=True, sleep=lambda _seconds: None)
    out, err = capsys.readouterr()
    parts = [json.loads(part + "}") for part in out.strip().split("\n}")[:-1]]
    assert [part["running"] for part in parts] == [True, False], "a renewed Lease alone is nothing new"
    assert "the API is away" in err


@pytest.mark.parametrize(("seconds", "text"), [(5, "5s"), (119, "119s"), (125, "2m"), (7300, "2h"), (200000, "2d")])
def test_age(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_facts_of_a_node_with_secrets_masked(engine: Engineless) -> None:
    machine = engine.world.machines["w3"]
    machine.fs.write("/etc/docker/daemon.json", '{"registry-mirrors": ["https://me:hunter2@mirror.example"]}\n')
    ref = next(node for node in inventory(engine.cluster()) if node.name == "w3")
    found = node_facts(MemoryConnection(machine, Result, Download), ref, engine.migration(), "m")
    text = json.dumps(found)
    assert "hunter2" not in text
    assert "https://me:***@mirror.example" in found["files"]["/etc/docker/daemon.json"]
    assert found["state"]["docker_active"] is True
    assert {"boot_id", "journal", "before", "sha256", "kubelet_unit", "containers"} <= found.keys()
    rows = dict(flat(found))
    assert rows["node.name"] == "w3"
    assert rows["journal"] == ""
    assert rows["state.kubelet_version"] == "v1.20.2"
