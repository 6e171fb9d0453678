"""Checkpoints lie when the world moved: a step is executed again where its effect may be gone, and only there."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.errors import NodeFailed
from cri_switch.model.steps import STEPS
from cri_switch.rehearsal.faults import FAULTS
from tests.rehearsal.engineless import go_on
from tests.rehearsal.killing import Cluster, Kill, Killed, Life, begun

_USUAL = Counter({("w1", step): 1 for step in STEPS})
"""One word a step: a kill at word 0 is before the first, at word 999 as well."""


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def killed_before(cluster: Cluster, step: str, number: int = 0) -> None:
    """A run that dies at the first word of a step of w1: everything before it is checkpointed."""
    life = Life(Kill("w1", step, 0, False, "nothing"), _USUAL)
    with pytest.raises(Killed):
        cluster.run(life.outside, number)
    assert life.died_at


def executed(cluster: Cluster, attempt: int) -> list[str]:
    """The steps of w1 that were begun in an attempt, in the article's order."""
    return [step for step in STEPS if (attempt, step) in begun(cluster.journal("w1"))]


def drainable(cluster: Cluster, node: str) -> list[dict[str, Any]]:
    """The pods of a node that a drain takes."""
    return [
        pod
        for pod in cluster.world.store.list("Pod")
        if pod["spec"].get("nodeName") == node
        and any(owner["kind"] != "DaemonSet" for owner in pod["metadata"].get("ownerReferences") or [])
    ]


def schedulable(cluster: Cluster, **nodes: bool) -> None:
    """What an administrator does by kubectl uncordon and cordon."""
    for name, wanted in nodes.items():

        def change(found: dict[str, Any], wanted: bool = wanted) -> None:
            found["spec"].pop("taints", None)
            found["spec"].pop("unschedulable", None)
            if not wanted:
                found["spec"]["unschedulable"] = True

        cluster.world.store.change("Node", name, "", change)


def test_a_failed_node_was_rolled_back_so_every_step_is_executed_again(cluster: Cluster) -> None:
    cluster.invariants.watch("w1", FAULTS["runtime-fails-once"].begin(cluster.world, "w1"))
    with pytest.raises(NodeFailed):
        cluster.run(go_on, 0)
    assert executed(cluster, 1)[-1] == "start_runtime"
    cluster.run(go_on, 1)
    assert executed(cluster, 2) == list(STEPS)
    assert cluster.left() == []


def test_after_a_reboot_no_checkpoint_of_before_is_trusted(cluster: Cluster) -> None:
    killed_before(cluster, "stop_docker")
    assert executed(cluster, 1) == ["cordon", "drain", "stop_kubelet", "stop_docker"]
    cluster.happens("a reboot", "w1")
    cluster.run(go_on, 1)
    assert executed(cluster, 2) == list(STEPS)
    assert cluster.left() == []


def test_after_a_reboot_as_much_is_asked_for_as_before_the_first_drain(cluster: Cluster) -> None:
    """w1 is drained and its kubelet in pieces when it boots: what it shows by then is no measure."""
    killed_before(cluster, "install_runtime")
    cluster.world.machines["w1"].reboot()
    for _ in range(16):
        cluster.world.clock.sleep(1.0)
    cluster.run(go_on, 1)
    first, second = (json.loads(text)["data"] for text in results(cluster, "cordon"))
    assert first["controllers"]
    assert second == first
    assert any("2 own pods run on containerd" in text for text in results(cluster, "verify_node"))
    assert cluster.left() == []


def results(cluster: Cluster, step: str) -> list[str]:
    """What a step of w1 left in its checkpoints, attempt after attempt."""
    node = cluster.world.store.get("Node", "w1")
    assert node is not None
    kept = cluster.runs.checkpoints.items()
    return [text for key, text in sorted(kept) if node["metadata"]["uid"] in key and key.endswith(f".{step}")]


def test_without_a_reboot_they_are(cluster: Cluster) -> None:
    killed_before(cluster, "stop_docker")
    cluster.run(go_on, 1)
    assert begun(cluster.journal("w1"))[1, "stop_kubelet"] == 1
    assert executed(cluster, 2) == []


def test_a_kubelet_that_the_killed_step_had_started_is_no_reason_to_begin_anew(cluster: Cluster) -> None:
    life = Life(Kill("w1", "start_kubelet", 600, False, "nothing"), Counter({("w1", "start_kubelet"): 50}))
    with pytest.raises(Killed):
        cluster.run(life.outside, 0)
    assert cluster.world.machines["w1"].systemd.active("kubelet.service")
    cluster.run(go_on, 1)
    assert executed(cluster, 2) == []
    assert cluster.left() == []


def test_somebody_started_the_kubelet_meanwhile(cluster: Cluster) -> None:
    killed_before(cluster, "stop_docker")
    cluster.world.machines["w1"].systemd.start("kubelet.service")
    cluster.run(go_on, 1)
    assert executed(cluster, 2) == list(STEPS)
    assert cluster.left() == []


def test_somebody_uncordoned_the_drained_node_and_pods_came(cluster: Cluster) -> None:
    """Not under one of them may the kubelet be stopped: they are evicted as the first ones were."""
    killed_before(cluster, "stop_kubelet")
    with cluster.world.store.acting("administrator"):
        schedulable(cluster, w1=True, w2=False)
        for pod in drainable(cluster, "w2"):
            cluster.world.store.delete("Pod", pod["metadata"]["name"], pod["metadata"]["namespace"])
    for _ in range(120):
        cluster.world.clock.sleep(1.0)
    assert drainable(cluster, "w1")
    with cluster.world.store.acting("administrator"):
        schedulable(cluster, w2=True)
    left: list[list[str]] = []

    def look(argv: tuple[str, ...]) -> None:
        if argv[:3] == ("systemctl", "stop", "kubelet.service"):
            left.append([pod["metadata"]["name"] for pod in drainable(cluster, "w1")])

    cluster.invariants.watch("w1", look)
    cluster.run(go_on, 1)
    assert left == [[]]
    assert executed(cluster, 2) == list(STEPS)
    assert cluster.left() == []


@pytest.mark.parametrize("step", STEPS)
def test_killed_before_any_step_the_next_run_leaves_nothing_behind(cluster: Cluster, step: str) -> None:
    """Killed before settle the node is uncordoned already: the batch's cordon would never be taken away again."""
    killed_before(cluster, step)
    cluster.run(go_on, 1)
    assert executed(cluster, 1) == list(STEPS)
    assert cluster.left() == []


@pytest.mark.parametrize("step", ["stop_docker", "start_kubelet", "settle"])
def test_another_cluster_under_the_same_name_trusts_nothing(tmp_path: Path, step: str) -> None:
    """The same names, the same settings, the same result storage; the first was never finished."""
    first, second = Cluster(tmp_path), Cluster(tmp_path)
    killed_before(first, step)
    second.runs.checkpoints = first.runs.checkpoints
    second.run(go_on, 1)
    assert executed(second, 1) == list(STEPS)
    assert second.left() == []


def test_a_node_put_back_from_a_copy_of_its_disk(cluster: Cluster) -> None:
    """Same node, same UID, and no journal: attempt 1 of now is not attempt 1 of the results that were kept."""
    killed_before(cluster, "stop_docker")
    w1 = cluster.world.machines["w1"]
    w1.fs.remove("/var/lib/cri-switch", recursive=True)
    w1.systemd.start("kubelet.service")
    cluster.run(go_on, 1)
    assert executed(cluster, 1) == list(STEPS)
    assert cluster.left() == []


@pytest.mark.parametrize("step", STEPS)
def test_the_results_are_lost(cluster: Cluster, step: str) -> None:
    """What is done is seen by its effect: the attempt goes on, nothing of it is undone."""
    killed_before(cluster, step)
    cluster.happens("no checkpoints", "w1")
    cluster.run(go_on, 1)
    assert executed(cluster, 1) == list(STEPS)
    assert cluster.left() == []
