"""What counts as seen anew after a restore: the API goes on showing what was before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab import snapshots

_BEFORE, _SINCE, _AFTER = "2026-11-23T20:00:00Z", 1795464060.5, "2026-11-23T20:01:00Z"


def node(heartbeat: str, ready: str = "True") -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Ready", "status": ready, "lastHeartbeatTime": heartbeat}]}}


def pod(started: str | None, ready: str = "True", **metadata: Any) -> dict[str, Any]:
    state = {"running": {"startedAt": started}} if started else {"waiting": {}}
    status = {"conditions": [{"type": "Ready", "status": ready}], "containerStatuses": [{"state": state}]}
    return {"metadata": {"name": "a", **metadata}, "status": status}


@pytest.mark.parametrize(
    ("each", "fresh"),
    [(node(_AFTER), True), (node(_BEFORE), False), (node(_AFTER, "False"), False), (node(_AFTER, "Unknown"), False)],
)
def test_nodes(each: dict[str, Any], fresh: bool) -> None:
    assert snapshots.fresh_node(each, _SINCE) is fresh


@pytest.mark.parametrize(
    ("each", "fresh"),
    [
        (pod(_AFTER), True),
        (pod(_BEFORE), False),
        (pod(None), False),
        (pod(_AFTER, "False"), False),
        (pod(_BEFORE, "False", ownerReferences=[{"kind": "Job"}]), True),
        (pod(_BEFORE, ownerReferences=[{"kind": "ReplicaSet"}]), False),
        (pod(_BEFORE, deletionTimestamp=_AFTER), True),
    ],
)
def test_pods(each: dict[str, Any], fresh: bool) -> None:
    assert snapshots.fresh_pod(each, _SINCE) is fresh


def test_a_pod_without_containers_is_not_fresh() -> None:
    empty = {"metadata": {"name": "a"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert not snapshots.fresh_pod(empty, _SINCE)
