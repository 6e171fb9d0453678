from __future__ import annotations

import pytest

from cri_switch.checks.inventory import check_inventory, check_machine_id
from cri_switch.model.node_ref import NodeRef, Role
from cri_switch.render.inventory import InventoryHost


def node(name: str = "w1", role: Role = "worker", machine_id: str = "m1") -> NodeRef:
    return NodeRef(name=name, uid=name, address="10.0.0.1", role=role, machine_id=machine_id)


def host(name: str = "w1", role: str | None = "worker", ips: tuple[str, ...] = ()) -> InventoryHost:
    return InventoryHost(name, name, address="192.0.2.1", role=role, ips=ips)


@pytest.mark.parametrize("ips", [(), ("10.0.0.1",), ("10.9.0.1", "10.0.0.1")])
@pytest.mark.parametrize("role", ["worker", None])
def test_the_same_nodes_are_silent(role: str | None, ips: tuple[str, ...]) -> None:
    assert check_inventory({"w1": host(role=role, ips=ips)}, [node()]) == []


@pytest.mark.parametrize(
    ("listed", "nodes", "said"),
    [
        ([host()], [node(), node("w2")], "the inventory does not have w2"),
        ([host(), host("old")], [node()], "the cluster does not have old"),
        ([host(role="control-plane")], [node()], "w1 is control-plane by the inventory and worker by the API"),
        ([host(ips=("10.0.0.7",))], [node()], "w1 has 10.0.0.7 by the inventory and 10.0.0.1 by the API"),
    ],
)
def test_a_mismatch_is_told(listed: list[InventoryHost], nodes: list[NodeRef], said: str) -> None:
    (finding,) = check_inventory({each.name: each for each in listed}, nodes)
    assert (finding.level, finding.name) == ("warning", "InventoryMismatch")
    assert said in finding.summary


def test_another_machine_than_the_node() -> None:
    (finding,) = check_machine_id(node(), "m2")
    assert (finding.level, finding.name, finding.node) == ("error", "WrongMachine", "w1")
    assert "m1" in finding.summary


@pytest.mark.parametrize(("reported", "answered"), [("m1", "m1"), ("", "m1"), ("m1", "")])
def test_the_same_machine_or_one_that_does_not_say(reported: str, answered: str) -> None:
    assert check_machine_id(node(machine_id=reported), answered) == []
