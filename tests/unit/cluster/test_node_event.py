"""Events as kubectl describe node looks for them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cri_switch.cluster.node_event import node_event
from cri_switch.model.errors import ApiError
from tests.unit.cluster.fake_api import FakeApi, add_node, cluster, status


def test_what_is_written() -> None:
    api = FakeApi()
    node = add_node(api)
    node_event(cluster(api), node, "Drained", "x" * 2000, kind="Warning", now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    ((key, found),) = [(key, found) for key, found in api.objects.items() if key[0] == "events"]
    assert key[1] == "default"
    assert found["involvedObject"] == {"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.name}
    assert (found["reason"], found["type"], found["count"]) == ("Drained", "Warning", 1)
    assert found["firstTimestamp"] == found["lastTimestamp"] == "2026-01-02T03:04:05Z"
    assert len(found["message"]) == 1024


def test_it_is_asked_once() -> None:
    api = FakeApi()
    node = add_node(api)
    seen: list[str] = []

    def refuse(request: object) -> object:
        if "/events" not in str(request):
            return None
        seen.append(str(request))
        return status(503, "ServiceUnavailable", "later")

    api.answers.append(refuse)  # type: ignore[arg-type]
    with pytest.raises(ApiError):
        node_event(cluster(api), node, "Drained", "x")
    assert len(seen) == 1
