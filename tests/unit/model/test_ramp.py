"""Batches that grow."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from cri_switch.model.batches import batches
from cri_switch.model.migration import Backup, ClusterAccess, Spec
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan


def spec(**settings: Any) -> Spec:
    return Spec(cluster=ClusterAccess(kubeconfig="k"), backup=Backup(directory="d"), **settings)


def sizes(workers: int, **settings: Any) -> list[int]:
    nodes = [NodePlan(node=NodeRef(name=f"w{i}", uid=f"u{i}"), action="migrate") for i in range(workers)]
    found = batches(nodes, spec(**settings))
    assert [node.name for batch in found for node in batch] == [f"w{i}" for i in range(workers)]
    return [len(batch) for batch in found]


@pytest.mark.parametrize(
    ("workers", "settings", "expected"),
    [
        (50, {"ramp": "1,5,20%", "max_unavailable": "100%"}, [1, 5, 10, 10, 10, 10, 4]),
        (50, {"ramp": "1, 5, 20%", "max_unavailable": 7}, [1, 5, 7, 7, 7, 7, 7, 7, 2]),
        (10, {"ramp": "2,4", "max_unavailable": 4}, [1, 2, 4, 3]),
        (4, {"ramp": "1", "max_unavailable": 9}, [1, 1, 1, 1]),
        (4, {"ramp": "10%", "max_unavailable": 9}, [1, 1, 1, 1]),
        (1, {"ramp": "1,5", "max_unavailable": 9}, [1]),
        (5, {"max_unavailable": 3}, [1, 3, 1]),
    ],
)
def test_sizes(workers: int, settings: dict[str, Any], expected: list[int]) -> None:
    assert sizes(workers, **settings) == expected


@pytest.mark.parametrize("ramp", ["", "0", "1,,2", "a", "200%", "1;2"])
def test_refused(ramp: str) -> None:
    with pytest.raises(ValidationError):
        spec(ramp=ramp, max_unavailable=2)


def test_a_ramp_needs_its_bound() -> None:
    with pytest.raises(ValidationError, match="max_unavailable"):
        spec(ramp="1,5")
