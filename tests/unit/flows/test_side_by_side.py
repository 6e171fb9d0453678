"""How many at once: exactly as many as may be, never more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import NodeFailed, NotProven
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec
from cri_switch.model.node_outcome import NodeOutcome
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan, Plan
from flows import batch, migrate_cluster
from flows.side_by_side import side_by_side

NODES = tuple(NodeRef(name=f"w{number}", uid=f"u{number}", runtime="docker://20.10.5") for number in range(6))
PLAN = Plan(
    cluster_uid="c",
    migration_id="id",
    target="containerd",
    nodes=tuple(NodePlan(node=node, action="migrate") for node in NODES),
    batches=(NODES[:1], NODES[1:4], NODES[4:]),
)


def migration(stage_parallelism: int) -> Migration:
    access, backup = ClusterAccess(kubeconfig="k"), Backup(directory="d")
    return Migration(
        metadata=Metadata(name="m"), spec=Spec(cluster=access, backup=backup, stage_parallelism=stage_parallelism)
    )


class Peak:
    """Counts who is inside; everybody stays until `together` are, so that the peak is no matter of luck."""

    def __init__(self, together: int) -> None:
        self.most = self.inside = self.all = 0
        self._lock, self._barrier = threading.Lock(), threading.Barrier(together)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            self.inside, self.all = self.inside + 1, self.all + 1
            self.most = max(self.most, self.inside)
        self._barrier.wait(timeout=30)
        with self._lock:
            self.inside -= 1
        yield


def inside(peak: Peak) -> Callable[[object], None]:
    def one(_item: object) -> None:
        with peak():
            pass

    return one


@pytest.mark.parametrize(("items", "at_once", "most"), [(6, 1, 1), (6, 2, 2), (6, 3, 3), (4, 9, 4)])
def test_at_once(items: int, at_once: int, most: int) -> None:
    peak = Peak(most)
    answers = side_by_side(inside(peak), range(items), at_once=at_once)
    assert [(item, answer) for item, answer in answers] == [(item, None) for item in range(items)]
    assert (peak.most, peak.all) == (most, items)


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_staging_is_bounded_by_its_setting(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    peak = Peak(at_once)
    monkeypatch.setattr(migrate_cluster, "open_attempt", lambda node, *_: node)
    monkeypatch.setattr(migrate_cluster, "stage", lambda node, _migration: inside(peak)(node))
    migrate_cluster._stage(batch.Batches(PLAN, migration(at_once)))
    assert (peak.most, peak.all) == (at_once, len(NODES))


def test_a_node_that_cannot_be_staged_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def stage(node: NodeRef, _migration: Migration) -> None:
        if node.name == "w2":
            raise NotProven("no repository")

    monkeypatch.setattr(migrate_cluster, "open_attempt", lambda node, *_: node)
    monkeypatch.setattr(migrate_cluster, "stage", stage)
    with pytest.raises(NodeFailed, match="w2: no repository") as caught:
        migrate_cluster._stage(batch.Batches(PLAN, migration(2)))
    assert "w1" not in caught.value.what


def test_a_batch_is_as_wide_as_planned_and_no_wider(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks: list[Peak] = []

    def node_flow(node: NodeRef, *_: object) -> NodeOutcome:
        inside(peaks[-1])(node)
        return NodeOutcome(attempt=Attempt(cluster_uid="c", migration_id="m", node=node, number=1), results=())

    monkeypatch.setattr(batch, "migrate_node", node_flow)
    monkeypatch.setattr(batch, "cordon_batch", lambda *_: None)
    monkeypatch.setattr("flows.batch.stop.why", lambda: None)
    batches = batch.Batches(PLAN, migration(1))
    for each in PLAN.batches:
        peaks.append(Peak(len(each)))
        batches.run(each)
    assert [(peak.most, peak.all) for peak in peaks] == [(1, 1), (3, 3), (2, 2)]
