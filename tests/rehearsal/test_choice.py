"""Which nodes, by names, labels, role and zone, on a simulated cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from cri_switch.model.errors import PreflightError, SettingsError
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from tests.rehearsal.engineless import Engineless

ZONE = "topology.kubernetes.io/zone"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engineless:
    labels = {f"w{number}": {ZONE: "ab"[number % 2], "disk": "ssd" if number < 4 else "hdd"} for number in range(1, 6)}
    cluster = build(ClusterSpec(nodes=6, control_planes=1, labels=labels), VirtualClock())
    return Engineless(cluster, Path(tmp_path_factory.mktemp("choice")))


def order(engine: Engineless, **spec: object) -> list[list[str]]:
    return [[node.name for node in batch] for batch in engine.plan(engine.migration(**spec)).batches]


def test_a_selector_and_a_role(engine: Engineless) -> None:
    assert order(engine, nodes={"selector": "disk in (ssd), kubernetes.io/os=linux"}) == [["w1"], ["w2"], ["w3"]]
    assert order(engine, nodes={"role": "control-plane"}) == [["cp1"]]
    assert order(engine, nodes={"role": "worker", "selector": "disk!=ssd", "exclude": ["w4"]}) == [["w5"]]


def test_a_batch_is_of_one_zone(engine: Engineless) -> None:
    assert order(engine, spread=ZONE, max_unavailable=2) == [["w1"], ["w3", "w5"], ["w2", "w4"], ["cp1"]]


def test_what_selects_nothing_is_refused(engine: Engineless) -> None:
    with pytest.raises(PreflightError, match="no node has the labels disk=sdd"):
        order(engine, nodes={"selector": "disk=sdd"})
    with pytest.raises(SettingsError, match="no label selector"):
        order(engine, nodes={"selector": "disk in ssd"})


def test_a_chosen_node_of_another_runtime_is_no_success(tmp_path: Path) -> None:
    engine = Engineless(build(ClusterSpec(nodes=3, control_planes=1), VirtualClock()), tmp_path)
    with engine.world.store.acting("administrator"):
        engine.world.store.change(
            "Node", "w1", "", lambda node: node["status"]["nodeInfo"].update(containerRuntimeVersion="cri-o://1.20.0")
        )
    with pytest.raises(PreflightError, match=r"w1 runs cri-o://1\.20\.0, which is neither Docker nor containerd"):
        engine.plan(engine.migration())
    assert order(engine, nodes={"exclude": ["w1"]}) == [["w2"], ["cp1"]]
