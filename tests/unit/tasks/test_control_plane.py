"""Which control-plane node goes next, and when none does."""

from __future__ import annotations

import logging

import pytest

from cri_switch.model.errors import ControlPlaneNotWell, NotProven
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec, Timeouts
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan, Plan
from cri_switch.node.command import Result
from cri_switch.node.etcd_member import ControlPlaneNode
from cri_switch.node.fake import ScriptedConnection
from tasks import control_plane, reach

NODES = [NodeRef(name=f"cp{i}", uid=f"u{i}", role="control-plane") for i in (1, 2, 3)]
SHIM = "812 /usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id 4f\n"
MIGRATION = Migration(
    metadata=Metadata(name="m"),
    spec=Spec(cluster=ClusterAccess(kubeconfig="k"), backup=Backup(directory="d"), timeouts=Timeouts(api=0.01)),
)


def plan(resumed: str = "", nodes: int = 3) -> Plan:
    entries = tuple(
        NodePlan(node=node, action="resume" if node.name == resumed else "migrate") for node in NODES[:nodes]
    )
    return Plan(cluster_uid="c", migration_id="m", target="containerd", nodes=entries, batches=())


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> dict[str, ControlPlaneNode]:
    voters = frozenset({1, 2, 3})
    found = {f"cp{i}": ControlPlaneNode(f"cp{i}", i, leader=1, voters=voters) for i in (1, 2, 3)}
    monkeypatch.setattr(reach, "node", lambda ref, _migration: ref.name)
    monkeypatch.setattr(control_plane, "ask_control_plane", lambda name: found[name])
    monkeypatch.setattr(control_plane, "get_run_logger", lambda: logging.getLogger("test"))
    return found


def choose(waiting: list[NodeRef], found: Plan) -> str:
    return control_plane.next_control_plane.fn(waiting, found, MIGRATION).name


def test_the_leader_goes_last(says: dict[str, ControlPlaneNode]) -> None:
    assert choose(NODES, plan()) == "cp2"
    assert choose([NODES[0], NODES[2]], plan()) == "cp3"
    assert choose(NODES[:1], plan()) == "cp1"
    assert says["cp1"].leads


def begin(node: NodeRef, found: Plan) -> None:
    control_plane.may_go_out.fn(node, found, MIGRATION)


def test_what_is_out_already_does_not_wait_for_others(says: dict[str, ControlPlaneNode]) -> None:
    says["cp3"] = ControlPlaneNode("cp3", problems=("no running etcd container",), etcd_stopped=True)
    says["cp1"] = ControlPlaneNode("cp1", problems=("etcd on cp1: is unhealthy",))
    begin(NODES[2], plan(resumed="cp3"))
    with pytest.raises(NotProven, match="cp1: is unhealthy"):
        begin(NODES[1], plan(resumed="cp3"))


def test_a_half_done_node_whose_etcd_runs_still_waits_for_the_others_only(says: dict[str, ControlPlaneNode]) -> None:
    says["cp3"] = ControlPlaneNode("cp3", problems=("etcd on cp3: is unhealthy",))
    begin(NODES[2], plan(resumed="cp3"))
    says["cp1"] = ControlPlaneNode("cp1", problems=("cp1 does not answer",))
    with pytest.raises(NotProven, match="cp1 does not answer") as caught:
        begin(NODES[2], plan(resumed="cp3"))
    assert caught.value.state == "not started: cp3"


def test_right_before_it_is_begun_a_node_is_asked_about_again(says: dict[str, ControlPlaneNode]) -> None:
    begin(NODES[1], plan())
    says["cp2"] = ControlPlaneNode("cp2", problems=("the API server on cp2 answers nothing",))
    with pytest.raises(NotProven, match="cp2 answers nothing"):
        begin(NODES[1], plan())
    says["cp2"] = ControlPlaneNode("cp2", 2, leader=1, voters=frozenset({1, 2}))
    says["cp1"] = ControlPlaneNode("cp1", 1, leader=1, voters=frozenset({1, 2}))
    with pytest.raises(NotProven, match="lose its quorum: 1 of 2"):
        begin(NODES[1], plan(nodes=2))


def test_a_drained_node_is_asked_about_once_more(says: dict[str, ControlPlaneNode]) -> None:
    """Its drain may have taken an hour; what the earlier question allowed is asked by the same rule."""
    control_plane.may_still_go_out(NODES[1], plan(), MIGRATION)
    says["cp3"] = ControlPlaneNode("cp3", problems=("etcd on cp3: is unhealthy",))
    with pytest.raises(NotProven, match="cp2 is drained, but must not go out any more: etcd on cp3: is unhealthy"):
        control_plane.may_still_go_out(NODES[1], plan(), MIGRATION)
    says["cp2"] = ControlPlaneNode("cp2", problems=("no running etcd container",), etcd_stopped=True)
    control_plane.may_still_go_out(NODES[1], plan(resumed="cp2"), MIGRATION)


def test_a_worker_is_not_asked_about(says: dict[str, ControlPlaneNode]) -> None:
    says["cp3"] = ControlPlaneNode("cp3", problems=("etcd on cp3: is unhealthy",))
    control_plane.may_still_go_out(NodeRef(name="w1", uid="u"), plan(), MIGRATION)


@pytest.mark.parametrize(
    ("shims", "own", "held"),
    [
        (SHIM, ControlPlaneNode("cp2", 2, leader=1, voters=frozenset({1, 2, 3})), True),
        (SHIM, ControlPlaneNode("cp2", problems=("etcd on cp2: is unhealthy",)), True),
        (SHIM, ControlPlaneNode("cp2", problems=("no running etcd container",), etcd_stopped=True), False),
        ("", ControlPlaneNode("cp2", 2, leader=1, voters=frozenset({1, 2, 3})), False),
    ],
)
def test_the_way_back_asks_where_it_stops_an_etcd(
    says: dict[str, ControlPlaneNode], monkeypatch: pytest.MonkeyPatch, shims: str, own: ControlPlaneNode, held: bool
) -> None:
    """Not where Docker runs it, nor where it is out already: only the way back brings that one back."""
    node = ScriptedConnection("cp2", {"before.json": Result(1, "", "No such file or directory"), "pgrep": shims})
    monkeypatch.setattr(reach, "node", lambda ref, _migration: node if ref.name == "cp2" else ref.name)
    monkeypatch.setattr(control_plane, "ask_control_plane", lambda who: says[str(getattr(who, "node", who))])
    says["cp2"] = own
    control_plane.may_go_back.fn(NODES[1], plan(), MIGRATION)
    says["cp3"] = ControlPlaneNode("cp3", problems=("etcd on cp3: is unhealthy",))
    asked = control_plane.may_go_back.fn, control_plane.may_still_go_back
    for ask, state in zip(asked, ("nothing was touched", "it was drained"), strict=True):
        if not held:
            ask(NODES[1], plan(), MIGRATION)
            continue
        with pytest.raises(ControlPlaneNotWell, match=r"cp2 must not go back to Docker now: .*cp3") as caught:
            ask(NODES[1], plan(), MIGRATION)
        assert caught.value.state.startswith(state)


def test_the_only_control_plane_may_always_go_back(
    says: dict[str, ControlPlaneNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = ScriptedConnection("cp1", {"before.json": Result(1, "", "No such file or directory"), "pgrep": SHIM})
    monkeypatch.setattr(reach, "node", lambda *_: node)
    for own in (
        ControlPlaneNode("cp1", 1, leader=1, voters=frozenset({1})),
        ControlPlaneNode("cp1", problems=("etcd on cp1: is unhealthy",)),
    ):
        monkeypatch.setattr(control_plane, "ask_control_plane", lambda _node, own=own: own)
        control_plane.may_go_back.fn(NODES[0], plan(nodes=1), MIGRATION)


def test_one_that_is_not_well_holds_all_back(says: dict[str, ControlPlaneNode]) -> None:
    says["cp3"] = ControlPlaneNode("cp3", problems=("etcd on cp3: is unhealthy",))
    with pytest.raises(NotProven, match="cp3: is unhealthy") as caught:
        choose(NODES[:2], plan())
    assert caught.value.state == "not started: cp1, cp2"


def test_two_members_are_refused_and_one_alone_is_not(says: dict[str, ControlPlaneNode]) -> None:
    for name, number in (("cp1", 1), ("cp2", 2)):
        says[name] = ControlPlaneNode(name, number, leader=1, voters=frozenset({1, 2}))
    with pytest.raises(NotProven, match="lose its quorum: 1 of 2"):
        choose(NODES[:2], plan(nodes=2))
    says["cp1"] = ControlPlaneNode("cp1", 1, leader=1, voters=frozenset({1}))
    assert choose(NODES[:1], plan(nodes=1)) == "cp1"


def test_a_member_that_no_node_runs_counts_as_ill(says: dict[str, ControlPlaneNode]) -> None:
    for name, number in (("cp1", 1), ("cp2", 2), ("cp3", 3)):
        says[name] = ControlPlaneNode(name, number, leader=1, voters=frozenset({1, 2, 3, 255}))
    with pytest.raises(NotProven, match="member ff runs on no control-plane node"):
        choose(NODES, plan())
