"""Killed once the kubelet runs on the new runtime, and the results lost: the node's journal says what was done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.killing import Cluster
from tests.rehearsal.test_three_control_planes import killed_in


@pytest.mark.parametrize("node", ["w1", "w2", "cp1"])
@pytest.mark.parametrize("step", ["start_kubelet", "verify_node"])
def test_the_kubelet_is_not_stopped_once_more(tmp_path: Path, node: str, step: str) -> None:
    cluster = Cluster(tmp_path)
    killed_in(cluster, node, step, 12)
    assert cluster.world.machines[node].systemd.active("kubelet.service")
    cluster.happens("no checkpoints", node)
    before = len(cluster.journal(node))
    stops = list[str]()

    def outside(what: str, act: Callable[[], Any]) -> Any:
        if what.startswith(f"{node}: ") and "systemctl stop kubelet" in what:
            stops.append(what)
        return act()

    cluster.run(outside, 1)
    assert cluster.left() == []
    assert stops == []
    again = [(each["step"], each["event"]) for each in cluster.journal(node)[before:]]
    assert ("stop_kubelet", "noop") in again
    assert {each["attempt"] for each in cluster.journal(node)} == {1}
