"""Which files of a node would change, and how: the actions themselves, performed dry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cri_switch.model.errors import CriSwitchError, NotProven
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, perform
from cri_switch.node.actions.configure_kubelet import configure_kubelet
from cri_switch.node.actions.configure_runtime import configure_runtime
from cri_switch.node.connection import Connection
from cri_switch.node.files import file_fact
from cri_switch.render.errors import RenderError


@dataclass(frozen=True)
class PlannedFile:
    """A file that would change; `before` is None where there is none yet."""

    path: str
    before: str | None
    after: str


@dataclass(frozen=True)
class PlannedFiles:
    """All files that would change, by path, and what stands in the way."""

    files: tuple[PlannedFile, ...]
    findings: tuple[Finding, ...]


def planned_files(
    connection: Connection, migration: Migration, *, migration_id: str, kubelet_version: str
) -> PlannedFiles:
    """Dry runs of configure_runtime and configure_kubelet; an error of one of them does not hide the other's files.

    Raises: Unreachable and its kin where the node cannot be asked.
    """
    actions: tuple[Callable[[], Action], ...] = (
        lambda: configure_runtime(migration, migration_id=migration_id, kubelet_version=kubelet_version),
        lambda: configure_kubelet(migration, migration_id=migration_id, kubelet_version=kubelet_version),
    )
    changed: dict[str, bytes] = {}
    findings: list[Finding] = []
    for action in actions:
        try:
            changed |= perform(connection, action(), dry_run=True).files
        except CriSwitchError as problem:
            if problem.transient:
                raise
            found = finding_of(problem, connection.node)
            if found not in findings:
                findings.append(found)
    files = (
        PlannedFile(path, file_fact(path).read(connection).text, content.decode("utf-8", "surrogateescape"))
        for path, content in sorted(changed.items())
    )
    return PlannedFiles(tuple(files), tuple(findings))


def finding_of(problem: CriSwitchError, node: str) -> Finding:
    """The error as a finding of a node, by its stable name."""
    name, remedy = type(problem).__name__, problem.next_step
    if isinstance(problem, RenderError):
        name, remedy = "FileNotUnderstood", remedy or "correct it on the node"
    elif isinstance(problem, NotProven):
        name = problem.finding
    return Finding("error", name, problem.what, node=node, remedy=remedy)
