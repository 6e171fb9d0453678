"""Plan one node from a copy of its files, without a cluster."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cri_switch.checks.not_carried import check_flags_not_carried, check_not_carried
from cri_switch.checks.skew import check_skew
from cri_switch.model.errors import SettingsError
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec, Target
from cri_switch.node.files import file_fact
from cri_switch.node.node_root import NodeRootConnection
from cri_switch.node.planned_files import PlannedFile, planned_files
from cri_switch.render.diff import masked, unified
from cri_switch.render.docker_daemon import DAEMON_JSON, parse_daemon_json
from cri_switch.render.errors import RenderError
from cri_switch.render.kubelet_flags import FLAGS_FILE


@dataclass(frozen=True)
class OfflinePlan:
    """The files of one node that would change, and what was found."""

    files: tuple[PlannedFile, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stand in the way."""
        return tuple(finding for finding in self.findings if finding.level == "error")

    def data(self) -> dict[str, Any]:
        """`{"files": [{"path", "before", "after"}], "findings": [...]}`; `before` is None where there is no file."""
        return {"files": [asdict(file) for file in self.files], "findings": [asdict(each) for each in self.findings]}

    def text(self, *, diff: bool) -> str:
        """Findings, then the changed files: whole diffs, or one line each."""
        parts = [finding.line() for finding in self.findings]
        if diff:
            parts += [unified(file.path, file.before, file.after).rstrip("\n") for file in self.files]
        else:
            parts += [f"{'+' if file.before is None else '~'} {file.path}" for file in self.files]
        return "\n".join(parts or ["Nothing would change."])


def offline_plan(root: Path, *, kubelet_version: str, target: str, target_version: str) -> OfflinePlan:
    """What a migration would write on the node whose files lie below `root`, as far as they are there.

    Raises:
        SettingsError: no such directory, or a target or version that is not understood.
    """
    if not root.is_dir():
        raise SettingsError(f"--node-root {root} is not a directory", next_step="give a directory with a node's files")
    if target != "containerd":
        raise SettingsError(f"--target {target} is not known", next_step="the target that is known: containerd")
    migration = Migration(
        metadata=Metadata(name="offline"),
        spec=Spec(
            cluster=ClusterAccess(kubeconfig="-"), backup=Backup(directory="-"), target=Target(runtime="containerd")
        ),
    )
    connection = NodeRootConnection(root, target_version=target_version)
    planned = planned_files(connection, migration, migration_id="offline", kubelet_version=kubelet_version)
    findings = [_told(finding) for finding in check_skew(connection.node, kubelet_version, target_version)]
    if connection.path(FLAGS_FILE) is None:
        findings += [finding for finding in planned.findings if FLAGS_FILE not in finding.summary]
        findings.append(
            Finding(
                "warning",
                "FlagsFileMissing",
                f"{FLAGS_FILE} is not in the copy: what the kubelet would get is not planned",
                node=connection.node,
                remedy="copy it too, or look where the node sets the kubelet's flags: systemctl cat kubelet",
            )
        )
    else:
        findings += planned.findings
        if not any(FLAGS_FILE in finding.summary for finding in planned.findings):
            flags = file_fact(FLAGS_FILE).read(connection).text or ""
            findings += check_flags_not_carried(flags, FLAGS_FILE, connection.node)
    try:
        docker = parse_daemon_json(file_fact(DAEMON_JSON).read(connection).text)
        findings += check_not_carried(docker, connection.node)
    except RenderError as problem:
        if not any(problem.what in finding.summary for finding in findings):
            findings.append(Finding("error", "FileNotUnderstood", problem.what, node=connection.node))
    files = tuple(PlannedFile(f.path, _shown(f.before), _shown(f.after) or "") for f in planned.files)
    return OfflinePlan(files, tuple(findings))


def _told(finding: Finding) -> Finding:
    """That the pipeline cannot switch such a node yet is told, but does not make its files wrong."""
    return replace(finding, level="warning") if finding.name == "NotDockershim" else finding


def _shown(text: str | None) -> str | None:
    """Secrets masked: the plan goes into tickets."""
    return None if text is None else masked(text)
