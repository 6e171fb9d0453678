"""The in-memory connection as a setting: simulated nodes of this process only."""

from __future__ import annotations

import pytest

from cri_switch.model.errors import SettingsError
from cri_switch.model.migration import Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.command import plain
from cri_switch.node.pool import ConnectionPool
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import Clock, VirtualClock
from cri_switch.rehearsal.connection import offered
from cri_switch.rehearsal.world import World
from tasks import reach

MEMORY = Ssh(transport="memory")


def node(world: World, name: str, uid: str = "") -> NodeRef:
    found = world.store.get("Node", name)
    assert found is not None
    return NodeRef(
        name=name, uid=uid or found["metadata"]["uid"], role="worker", runtime="docker://20.10.5", kubelet_version="v1"
    )


@pytest.fixture(scope="module")
def world() -> World:
    return build(ClusterSpec(nodes=2, control_planes=1, replicas=1), VirtualClock())


def test_the_setting_chooses_it(world: World) -> None:
    pool = ConnectionPool(reach._open)
    with offered(world):
        connection = pool.get(node(world, "w1"), MEMORY)
        said = connection.run(plain("cat", "/etc/hostname"))
        assert (said.rc, said.stdout) == (0, "w1\n")
        assert pool.get(node(world, "w1"), MEMORY) is connection


def test_a_real_node_refuses_it(world: World) -> None:
    with pytest.raises(SettingsError, match=r"spec\.ssh\.transport is memory, and w1 is no simulated node"):
        ConnectionPool(reach._open).get(node(world, "w1"), MEMORY)
    with offered(world), pytest.raises(SettingsError, match="for rehearsals only"):  # another cluster's node w1
        ConnectionPool(reach._open).get(node(world, "w1", uid="of-another-cluster"), MEMORY)


def test_virtual_time_goes_only_without_sockets_and_engine(world: World) -> None:
    with pytest.raises(ValueError, match="a virtual clock goes only with the in-memory connection"):
        world.start()
    assert Clock().runs
