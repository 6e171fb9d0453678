"""Batches of one zone each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cri_switch.model.batches import batches
from cri_switch.model.migration import Backup, ClusterAccess, Spec
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan


def planned(name: str, zone: str, *, resume: bool = False) -> NodePlan:
    return NodePlan(node=NodeRef(name=name, uid=name), action="resume" if resume else "migrate", zone=zone)


def spec(size: int) -> Spec:
    return Spec(
        cluster=ClusterAccess(kubeconfig="k"), backup=Backup(directory="d"), max_unavailable=size, spread="zone"
    )


def test_one_zone_after_the_other() -> None:
    nodes = [planned(f"w{number}", "ab"[number % 2]) for number in range(1, 8)]
    nodes[5] = planned("w6", "a", resume=True)
    found = [[node.name for node in batch] for batch in batches(nodes, spec(2))]
    assert found == [["w6"], ["w2", "w4"], ["w1", "w3"], ["w5", "w7"]]


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
