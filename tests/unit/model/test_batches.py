"""Batches of one zone each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cri_switch.model.batches import batches
from cri_switch.model.migration import Backup, ClusterAccess, Spec
from cri_switch.model.node_ref import NodeRef, Role
from cri_switch.model.plan import NodePlan, Plan


def planned(name: str, zone: str, *, resume: bool = False, role: Role = "worker") -> NodePlan:
    node = NodeRef(name=name, uid=name, role=role)
    return NodePlan(node=node, action="resume" if resume else "migrate", zone=zone)


def spec(size: int) -> Spec:
    return Spec(
        cluster=ClusterAccess(kubeconfig="k"), backup=Backup(directory="d"), max_unavailable=size, spread="zone"
    )


def test_one_zone_after_the_other() -> None:
    nodes = [planned(f"w{number}", "ab"[number % 2]) for number in range(1, 8)]
    nodes[5] = planned("w6", "a", resume=True)
    found = [[node.name for node in batch] for batch in batches(nodes, spec(2))]
    assert found == [["w6"], ["w2", "w4"], ["w1", "w3"], ["w5", "w7"]]


def test_a_half_done_control_plane_is_brought_back_before_any_other_node() -> None:
    nodes = [planned(name, "", role="control-plane", resume=name == "cp2") for name in ("cp1", "cp2", "cp3")]
    nodes += [planned("w1", ""), planned("w2", "", resume=True), planned("w3", "")]
    order = batches(nodes, spec(5))
    assert [[node.name for node in batch] for batch in order] == [["cp2"], ["w2"], ["w1", "w3"], ["cp1"], ["cp3"]]
    found = Plan(cluster_uid="c", migration_id="m", target="containerd", nodes=tuple(nodes), batches=order)
    assert [node.name for node in found.canary] == ["w2"]
    assert found.half_done == {"cp2", "w2"}


def test_without_workers_the_first_control_plane_is_the_canary() -> None:
    nodes = [planned(name, "", role="control-plane") for name in ("cp1", "cp2")]
    order = batches(nodes, spec(1))
    found = Plan(cluster_uid="c", migration_id="m", target="containerd", nodes=tuple(nodes), batches=order)
    assert [node.name for node in found.canary] == ["cp1"]
    assert found.model_copy(update={"batches": ()}).canary == ()


@given(zones=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=14), size=st.integers(1, 5))
def test_no_batch_is_of_two_zones(zones: list[tuple[str, bool]], size: int) -> None:
    nodes = [planned(f"w{number}", zone, resume=resume) for number, (zone, resume) in enumerate(zones)]
    zone_of = {each.node.name: each.zone for each in nodes}
    found = batches(nodes, spec(size))
    assert sorted(node.name for batch in found for node in batch) == sorted(zone_of)
    assert all(0 < len(batch) <= size for batch in found)
    assert all(len({zone_of[node.name] for node in batch}) == 1 for batch in found)
    half_done = sum(resume for _, resume in zones)
    flat = [node.name for batch in found for node in batch]
    assert set(flat[:half_done]) == {n.node.name for n in nodes if n.action == "resume"}
