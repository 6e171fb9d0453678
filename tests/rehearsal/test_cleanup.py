"""Docker's data after a migration of a simulated cluster; and the events that the whole left on its nodes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cri_switch.model.errors import PreflightError, UsageError
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from tests.rehearsal.engineless import Engineless

ROOT = "/var/lib/docker"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engineless:
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=3, control_planes=1), clock)
    clock.passed = world.tick
    made = Engineless(world, Path(tmp_path_factory.mktemp("cleanup")))
    made.run(made.migration(nodes={"limit": ["w1", "w2"]}))
    return made


def outcomes(engine: Engineless, name: str = "", **nodes: object) -> dict[str, str]:
    answer = engine.cleanup(engine.migration(nodes=nodes), name)
    return {node.name: node.outcome for node in answer.nodes}


def exists(engine: Engineless, node: str, path: str = ROOT) -> bool:
    return engine.world.machines[node].fs.exists(path)


def test_volumes_and_containers_are_named_and_nothing_goes(engine: Engineless) -> None:
    fs = engine.world.machines["w1"].fs
    fs.put(f"{ROOT}/volumes/pgdata/_data/PG_VERSION", "13")
    fs.put(f"{ROOT}/containers/0123/config.v2.json", json.dumps({"Name": "/ci", "Config": {"Labels": {}}}))
    with pytest.raises(PreflightError) as problem:
        outcomes(engine, "rehearsal")
    assert f"w1: volume pgdata has data in {ROOT}/volumes/pgdata; container ci is not Kubernetes'" in str(problem.value)
    assert {node.name: node.outcome for node in problem.value.report.nodes} == {
        "cp1": "left-alone",
        "w1": "refused",
        "w2": "to-delete",
    }
    assert exists(engine, "w1")
    assert exists(engine, "w2")
    fs.remove(f"{ROOT}/volumes", recursive=True)
    fs.remove(f"{ROOT}/containers/0123", recursive=True)


def test_the_cluster_has_to_be_named(engine: Engineless) -> None:
    assert outcomes(engine) == {"cp1": "left-alone", "w1": "to-delete", "w2": "to-delete"}
    with pytest.raises(UsageError, match="the cluster is called 'rehearsal', not 'prod'"):
        outcomes(engine, "prod")
    assert exists(engine, "w1")


def test_it_is_deleted_where_it_was_asked_for_and_once(engine: Engineless) -> None:
    assert outcomes(engine, "rehearsal", limit=["w1"]) == {"cp1": "left-alone", "w1": "deleted", "w2": "left-alone"}
    assert [exists(engine, name) for name in ("w1", "w2", "cp1")] == [False, True, True]
    assert exists(engine, "w1", "/etc/containerd/config.toml")
    assert outcomes(engine, "rehearsal") == {"cp1": "left-alone", "w1": "gone", "w2": "deleted"}
    assert engine.world.complaints == []


def test_the_events_tell_the_story(engine: Engineless) -> None:
    events = sorted(engine.world.store.list("Event"), key=lambda e: int(e["metadata"]["resourceVersion"]))
    mine = [each for each in events if (each.get("source") or {}).get("component") == "cri-switch"]
    assert {each["metadata"]["namespace"] for each in mine} == {"default"}
    assert {each["involvedObject"]["uid"] for each in mine} == {"w1", "w2"}
    story = [each["reason"] for each in mine if each["involvedObject"]["name"] == "w1"]
    assert story == [
        "DrainStarted",
        "Drained",
        "RuntimeSwitched",
        "NodeSettled",
        "DockerRemovalStarted",
        "DockerRemoved",
        "DockerDataDeleted",
    ]
