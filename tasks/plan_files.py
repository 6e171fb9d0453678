"""Which files a migration would write on a node, and how they would change."""

from __future__ import annotations

from cri_switch.model.errors import PreflightError
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import FileChange, Plan
from cri_switch.model.secrets import masked
from cri_switch.node.planned_files import planned_files
from tasks import reach
from tasks.look import look


@look
def plan_files(node: NodeRef, migration: Migration, plan: Plan) -> list[FileChange]:
    """The actions themselves, performed dry; secrets are masked.

    Raises:
        PreflightError: a file cannot be understood.
    """
    found = planned_files(
        reach.node(node, migration), migration, migration_id=plan.migration_id, kubelet_version=node.kubelet_version
    )
    if found.findings:
        raise PreflightError(
            "\n".join(finding.line() for finding in found.findings),
            state="nothing was touched",
            next_step="mend what is named and run the same command again",
        )
    return [
        FileChange(
            path=file.path,
            before=None if file.before is None else masked(file.before),
            after=masked(file.after),
            nodes=(node.name,),
        )
        for file in found.files
    ]
