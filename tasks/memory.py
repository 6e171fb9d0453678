"""What the orchestrator knows of the control plane while its API is away: a file beside the checkpoints."""

from __future__ import annotations

from pathlib import Path

from prefect.settings import get_current_settings
from pydantic import BaseModel, ConfigDict, ValidationError

from cri_switch.cluster.process_identity import this_process
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import Plan
from cri_switch.model.private_file import make_private, write_private


class Memory(BaseModel):
    """The last run that held the Lease: `process` as process_identity has it, and the control-plane nodes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cluster_uid: str
    migration_id: str
    process: str
    nodes: tuple[NodeRef, ...]


def storage() -> Path:
    """Where this process keeps its checkpoints."""
    return Path(get_current_settings().results.local_storage_path)


def remember(plan: Plan, migration: Migration) -> None:
    """Write it down, whole, 0600; the caller holds the Lease. A dry run writes none."""
    if migration.spec.dry_run:
        return
    nodes = tuple(each.node for each in plan.nodes if each.node.role == "control-plane")
    memory = Memory(cluster_uid=plan.cluster_uid, migration_id=plan.migration_id, process=this_process(), nodes=nodes)
    path = _path(migration)
    make_private(path.parent)
    write_private(path, memory.model_dump_json())


def recall(migration: Migration) -> Memory | None:
    """What the last run wrote; None where there is nothing to be read."""
    try:
        return Memory.model_validate_json(_path(migration).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def _path(migration: Migration) -> Path:
    return storage() / f"control-plane.{migration.metadata.name}.json"
