"""Which machines a lab has."""

from __future__ import annotations

import pytest

from tests.lab.report import LabError
from tests.lab.topology import check_name, machine_id, machines


def test_machines_differ_as_real_ones_do() -> None:
    server, control, first, second, third = machines(1, 3)
    assert (server.name, server.role, server.docker, server.is_node) == ("registry", "server", None, False)
    assert (control.name, control.role, control.docker) == ("cp1", "control-plane", "docker.io")
    assert (first.docker, first.containerd_marked_auto) == ("docker.io", True)
    assert (second.docker, second.containerd_marked_auto) == ("docker-engine", False)
    assert (third.docker, third.containerd_marked_auto) == ("docker.io", True)


def test_every_machine_has_its_own_name_and_address() -> None:
    specs = machines(1, 50)
    assert len({spec.name for spec in specs}) == len({spec.address for spec in specs}) == 52


def test_three_control_planes() -> None:
    names = {spec.name: spec.address for spec in machines(3, 1) if spec.role == "control-plane"}
    assert names == {"cp1": "10.77.0.11", "cp2": "10.77.0.12", "cp3": "10.77.0.13"}


def test_one_node_may_have_another_debian() -> None:
    releases = {spec.name: spec.debian for spec in machines(1, 2, 11, {"w2": 12})}
    assert releases == {"registry": 11, "cp1": 11, "w1": 11, "w2": 12}
    assert {spec.debian for spec in machines(1, 1, 12)} == {12}
    with pytest.raises(LabError, match="no such node: w3"):
        machines(1, 2, 11, {"w3": 12})


@pytest.mark.parametrize(("control_planes", "workers"), [(0, 1), (2, 1), (1, -1), (1, 51)])
def test_what_cannot_be_built_is_refused(control_planes: int, workers: int) -> None:
    with pytest.raises(LabError):
        machines(control_planes, workers)


@pytest.mark.parametrize("name", ["dev", "a", "e2e-1", "a" * 20])
def test_good_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "Dev", "1a", "a/b", "..", "a b", "-a", "a" * 21, "a\n"])
def test_bad_names(name: str) -> None:
    with pytest.raises(LabError, match="bad lab name"):
        check_name(name)


def test_machine_ids_are_unique_over_labs() -> None:
    assert machine_id("a", "w1") != machine_id("b", "w1")
