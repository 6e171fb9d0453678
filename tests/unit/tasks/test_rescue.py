"""When a control-plane node is half done, and what the orchestrator remembers of it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan, Plan
from cri_switch.node.journal import Entry
from tasks import memory
from tasks.rescue import half_done

MIGRATION = Migration(
    metadata=Metadata(name="m"), spec=Spec(cluster=ClusterAccess(kubeconfig="k"), backup=Backup(directory="d"))
)
NODES = tuple(
    NodeRef(name=name, uid=f"uid-{name}", runtime="docker://20.10.5", role=role)
    for name, role in (("cp1", "control-plane"), ("w1", "worker"))
)
PLAN = Plan(
    cluster_uid="c",
    migration_id="i",
    target="containerd",
    nodes=tuple(NodePlan(node=node, action="migrate") for node in NODES),
    batches=(),
)


def entries(*said: tuple[int, str, str]) -> list[Entry]:
    return [Entry(float(n), "run", attempt, step, event) for n, (attempt, step, event) in enumerate(said)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ((), False),
        (((1, "drain", "started"),), False),
        (((1, "stop_kubelet", "started"),), True),
        (((1, "stop_kubelet", "done"), (1, "stop_docker", "started")), True),
        (((1, "stop_kubelet", "done"), (1, "rollback", "started")), True),
        (((1, "stop_kubelet", "done"), (1, "rollback", "done")), False),
        (((1, "stop_kubelet", "done"), (1, "settle", "done")), False),
        (((1, "stop_kubelet", "done"), (1, "rollback", "done"), (2, "stop_kubelet", "started")), True),
        (((1, "stop_kubelet", "done"), (2, "open_attempt", "opened")), False),
    ],
)
def test_half_done(said: tuple[tuple[int, str, str], ...], wanted: bool) -> None:
    assert half_done(entries(*said)) is wanted


def test_the_control_plane_is_remembered_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "storage", lambda: tmp_path / "results")
    assert memory.recall(MIGRATION) is None
    memory.remember(PLAN, MIGRATION)
    found = memory.recall(MIGRATION)
    assert found is not None
    assert (found.cluster_uid, found.migration_id, found.nodes) == ("c", "i", NODES[:1])
    (file,) = (tmp_path / "results").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text('{"torn')
    assert memory.recall(MIGRATION) is None


def test_a_dry_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "storage", lambda: tmp_path)
    dry = MIGRATION.model_copy(update={"spec": MIGRATION.spec.model_copy(update={"dry_run": True})})
    memory.remember(PLAN, dry)
    assert list(tmp_path.iterdir()) == []
