"""Which nodes are chosen, and the order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cri_switch.model.batches import at_once, batches
from cri_switch.model.migration import Backup, Choice, ClusterAccess, Spec
from cri_switch.model.node_ref import NodeRef, Role
from cri_switch.model.plan import FileChange, grouped, node_plan


def spec(max_unavailable: int | str = 1, limit: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Spec:
    return Spec(
        cluster=ClusterAccess(kubeconfig="k"),
        backup=Backup(directory="d"),
        max_unavailable=max_unavailable,
        nodes=Choice(limit=list(limit), exclude=list(exclude)),
    )


def ref(name: str, runtime: str = "docker://20.10.5", role: Role = "worker") -> NodeRef:
    return NodeRef(name=name, uid=f"uid-{name}", runtime=runtime, role=role)


@pytest.mark.parametrize(
    ("value", "workers", "expected"),
    [(1, 10, 1), (3, 2, 3), ("25%", 8, 2), ("25%", 3, 1), ("100%", 5, 5), ("0%", 5, 1)],
)
def test_at_once(value: int | str, workers: int, expected: int) -> None:
    assert at_once(value, workers) == expected


@pytest.mark.parametrize(
    ("runtime", "in_progress", "limit", "action", "reason"),
    [
        ("docker://20.10.5", False, (), "migrate", ""),
        ("containerd://1.4.13", False, (), "skip", "already on containerd://1.4.13"),
        ("containerd://1.4.13", True, (), "resume", "an earlier run did not finish it"),
        ("docker://20.10.5", True, (), "resume", "an earlier run did not finish it"),
        ("cri-o://1.20", False, (), "skip", "runs cri-o://1.20, not Docker"),
        ("docker://20.10.5", False, ("other*",), "skip", "not chosen"),
        ("docker://20.10.5", False, ("w*",), "migrate", ""),
    ],
)
def test_node_plan(runtime: str, in_progress: bool, limit: tuple[str, ...], action: str, reason: str) -> None:
    plan = node_plan(ref("w1", runtime), spec(limit=limit), in_progress=in_progress)
    assert (plan.action, plan.reason) == (action, reason)


@pytest.mark.parametrize(
    ("choice", "selected", "chosen"),
    [
        (Choice(role="worker"), True, ["w1"]),
        (Choice(role="control-plane"), True, ["cp1"]),
        (Choice(selector="a=b"), False, []),
        (Choice(limit=["*"], role="worker"), True, ["w1"]),
    ],
)
def test_role_and_selector(choice: Choice, selected: bool, chosen: list[str]) -> None:
    settings = spec().model_copy(update={"nodes": choice})
    nodes = [ref("w1"), ref("cp1", role="control-plane")]
    plans = [node_plan(node, settings, in_progress=False, selected=selected) for node in nodes]
    assert [each.node.name for each in plans if each.action == "migrate"] == chosen
    assert {each.reason for each in plans if each.action == "skip"} <= {"not chosen"}


@given(
    workers=st.integers(0, 12),
    masters=st.integers(0, 3),
    size=st.integers(1, 5),
    resumed=st.sets(st.integers(0, 11)),
)
def test_order(workers: int, masters: int, size: int, resumed: set[int]) -> None:
    nodes = [ref(f"w{i:02}") for i in range(workers)] + [ref(f"cp{i}", role="control-plane") for i in range(masters)]
    settings = spec(max_unavailable=size)
    plans = [node_plan(n, settings, in_progress=n.role == "worker" and int(n.name[1:]) in resumed) for n in nodes]
    order = batches(plans, settings)
    flat = [n.name for batch in order for n in batch]
    assert sorted(flat) == sorted(n.name for n in nodes), "every node exactly once"
    roles = [n.role for batch in order for n in batch]
    assert roles == sorted(roles, key=lambda r: r != "worker"), "no control plane before the last worker"
    assert all(len(batch) <= size for batch in order)
    assert not order or len(order[0]) == 1, "the first node is alone"
    assert all(len(batch) == 1 for batch in order if batch[0].role == "control-plane")
    half_done = [f"w{i:02}" for i in range(workers) if i in resumed]
    assert flat[: len(half_done)] == half_done


def test_equal_changes_are_grouped() -> None:
    def change(path: str, after: str, node: str) -> FileChange:
        return FileChange(path=path, before=None, after=after, nodes=(node,))

    found = grouped(
        [change("/b", "x", "w1"), change("/a", "y", "w1"), change("/b", "x", "w2"), change("/b", "z", "w3")]
    )
    assert [(c.path, c.after, c.nodes) for c in found] == [
        ("/a", "y", ("w1",)),
        ("/b", "x", ("w1", "w2")),
        ("/b", "z", ("w3",)),
    ]
