"""Plan one node from a copy of its files, without a cluster."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cri_switch.checks.skew import check_skew
from cri_switch.cli.offline_findings import copy_findings
from cri_switch.model.errors import FileChanged, SettingsError
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec, Target
from cri_switch.model.secrets import masked
from cri_switch.node.facts.kubelet import CONFIG
from cri_switch.node.node_root import NodeRootConnection
from cri_switch.node.planned_files import PlannedFile, planned_files
from cri_switch.render.diff import unified
from cri_switch.render.docker_daemon import DAEMON_JSON, parse_daemon_json
from cri_switch.render.errors import RenderError
from cri_switch.render.kubelet_flags import FLAGS_FILE, carried
from cri_switch.render.version import major_minor


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
    if not os.path.isdir(root):  # noqa: PTH112 (Path.is_dir raises where it may not be looked for)
        raise SettingsError(f"--node-root {root} is not a directory", next_step="give a directory with a node's files")
    if target != "containerd":
        raise SettingsError(f"--target {target} is not known", next_step="the target that is known: containerd")
    for flag, version, like in (("kubelet", kubelet_version, "v1.20.2"), ("target", target_version, "1.4.13")):
        if major_minor(version) is None:
            raise SettingsError(f"--{flag}-version {version} is not a version", next_step=f"write it as {like}")
    migration = Migration(
        metadata=Metadata(name="offline"),
        spec=Spec(
            cluster=ClusterAccess(kubeconfig="-"), backup=Backup(directory="-"), target=Target(runtime="containerd")
        ),
    )
    installed = f"{target_version}.0" if re.fullmatch(r"v?\d+\.\d+", target_version) else target_version
    connection = NodeRootConnection(root, target_version=installed)
    findings = check_skew(connection.node, kubelet_version, target_version)
    if (driver := _assumed_driver(connection)) is not None:
        findings.append(
            Finding(
                "warning",
                "KubeletConfigMissing",
                f"{CONFIG} is not in the copy: the kubelet's cgroup driver is taken to be {driver}",
                node=connection.node,
                remedy="copy it too",
            )
        )
        assumed = {CONFIG: f"cgroupDriver: {driver}\n"}
        connection = NodeRootConnection(root, target_version=installed, assumed=assumed)
    planned = planned_files(connection, migration, migration_id="offline", kubelet_version=kubelet_version)
    findings += [found for found in planned.findings if found.name != FileChanged.__name__]  # told by copy_findings
    findings += copy_findings(connection, installed)
    files = tuple(PlannedFile(f.path, _shown(f.before), _shown(f.after) or "") for f in planned.files)
    return OfflinePlan(files, tuple(dict.fromkeys(_told(finding) for finding in findings)))


def _assumed_driver(connection: NodeRootConnection) -> str | None:
    """The cgroup driver that is planned with where config.yaml is not in the copy: Docker's, which dockershim demands.

    None where it is there, and where a flag or a file that is not understood makes the question idle.
    """
    files = connection.files
    if files.there(CONFIG) or not files.there(FLAGS_FILE):
        return None
    try:
        if "cgroup-driver" in carried(files.text(FLAGS_FILE) or ""):
            return None
        return parse_daemon_json(files.text(DAEMON_JSON)).cgroup_driver or "cgroupfs"
    except RenderError:
        return None


def _told(finding: Finding) -> Finding:
    """What does not make the files wrong is told as a warning: the pipeline cannot switch such a node yet, or a copy
    that is not whole.
    """
    if finding.name == "FlagsFileMissing":
        summary = f"{FLAGS_FILE} is not in the copy: what the kubelet would get is not planned"
        remedy = "copy it too, or look where the node sets the kubelet's flags: systemctl cat kubelet"
        return replace(finding, level="warning", summary=summary, remedy=remedy)
    return replace(finding, level="warning") if finding.name == "NotDockershim" else finding


def _shown(text: str | None) -> str | None:
    """Secrets masked: the plan goes into tickets."""
    return None if text is None else masked(text)
