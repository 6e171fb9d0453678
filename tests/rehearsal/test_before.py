"""What was there before this migration is there after the way back, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from cri_switch.model.errors import NodeFailed
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.faults import FAULTS
from cri_switch.rehearsal.node_fault import NodeFault
from cri_switch.rehearsal.world import World
from tests.rehearsal.engineless import Engineless

_CONFIG = "/etc/containerd/config.toml"
_TEXT = 'version = 2\ndisabled_plugins = ["cri"]\n# the administrator\'s\n'


@pytest.fixture
def world() -> World:
    """Three nodes; w1's Docker brings a containerd of its own, so that its package is installed by us."""
    clock = VirtualClock()
    world = build(ClusterSpec(nodes=3, control_planes=1, replicas=2, self_contained_docker=("w1",)), clock)
    clock.passed = world.tick
    return world


@pytest.mark.parametrize(("at", "early"), [("install_runtime", False), ("verify_node", False), ("verify_node", True)])
def test_an_administrators_configuration_of_a_containerd_that_is_not_installed(
    world: World, tmp_path: Path, at: str, early: bool
) -> None:
    files = world.machines["w1"].fs
    files.put(_CONFIG, _TEXT, 0o640)
    runs = Engineless(world, tmp_path)

    def fails(argv: tuple[str, ...]) -> NodeFault | None:
        stuck = argv[:2] == ("crictl", "info") if at == "verify_node" else argv[:2] == ("apt-mark", "manual")
        return NodeFault(1, "no") if stuck else None

    world.machines["w1"].fault_hook = fails
    with pytest.raises(NodeFailed):
        runs.run(runs.migration(stage_images=early))
    assert not world.machines["w1"].packages.installed("containerd")
    assert files.text(_CONFIG) == _TEXT
    assert files.entry(_CONFIG).mode & 0o777 == 0o640


def test_without_one_nothing_of_containerds_stays(world: World, tmp_path: Path) -> None:
    assert not world.machines["w1"].fs.exists("/etc/containerd")
    runs = Engineless(world, tmp_path)
    world.machines["w1"].fault_hook = FAULTS["runtime-fails-once"].begin(world, "w1")
    with pytest.raises(NodeFailed):
        runs.run(runs.migration())
    assert not world.machines["w1"].packages.installed("containerd")
    assert not world.machines["w1"].fs.exists("/etc/containerd")
