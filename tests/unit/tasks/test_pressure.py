"""A way back whose pods do not come: whether the kubelet evicts them, and whether that will end."""

from __future__ import annotations

from typing import Any

import pytest

from cri_switch.model.errors import NotProven, RemoteTimeout
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec
from cri_switch.node.fake import ScriptedConnection
from tasks import pressure
from tests.unit.cluster.fake_api import FakeApi, add_node, cluster

MIGRATION = Migration(
    metadata=Metadata(name="m"), spec=Spec(cluster=ClusterAccess(kubeconfig="k"), backup=Backup(directory="d"))
)
LATE = RemoteTimeout("w1: its own pods on docker: not within 300 s: DaemonSet lab/agent: no pod")
DF = "1B-blocks Avail Mounted on File\n{size} {free} / /var/lib/kubelet\n{size} {free} / /var/lib/docker\n"


class Quiet:
    def warning(self, *_: object) -> None:
        pass


@pytest.fixture
def outlast(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`outlast_pressure` of a node with these conditions and so much room (GB of 10); its waits, 0 is the clearing."""

    def run(conditions: dict[str, str], free: float) -> list[float]:
        api, waited = FakeApi(), list[float]()

        def cleared(*_: object) -> list[str]:
            waited.append(0)
            return []

        ref = add_node(api)
        status = {"conditions": [{"type": name, "status": value} for name, value in conditions.items()]}
        api.objects["nodes", "", "w1"]["status"] = status
        said = DF.format(size=10_000_000_000, free=int(free * 1e9))
        monkeypatch.setattr(pressure, "get_run_logger", Quiet)
        monkeypatch.setattr(pressure, "clear_evicted", cleared)
        monkeypatch.setattr("tasks.pressure.reach.cluster", lambda _: cluster(api))
        monkeypatch.setattr("tasks.pressure.reach.node", lambda *_: ScriptedConnection("w1", {"df": said}))
        monkeypatch.setattr(pressure, "wait_no_pressure", lambda *_, seconds, **__: waited.append(seconds))
        pressure.outlast_pressure(ref, MIGRATION, LATE)
        return waited

    return run


def test_without_pressure_it_is_another_reason(outlast: Any) -> None:
    with pytest.raises(RemoteTimeout) as caught:
        outlast({"DiskPressure": "False", "Ready": "True"}, free=0)
    assert caught.value is LATE


def test_a_disk_that_is_full_is_named_with_the_next_command(outlast: Any) -> None:
    with pytest.raises(NotProven) as caught:
        outlast({"DiskPressure": "True"}, free=0.2)
    assert LATE.what in caught.value.what
    assert "has DiskPressure" in caught.value.what
    assert "/ has 0.2 GB free of 10.0 GB" in caught.value.what
    assert "make room on w1: df -h" in caught.value.next_step


def test_with_room_again_it_waits_longer_than_the_kubelet_keeps_it(outlast: Any) -> None:
    assert outlast({"DiskPressure": "True"}, free=6) == [360, 0]
    assert outlast({"MemoryPressure": "True"}, free=0) == [360, 0]
