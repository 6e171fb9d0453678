"""Every name that is raised is in the catalogue, every name in it is raised, and docs/findings.md is its page."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

from cri_switch.checks.catalogue import NAMES, page
from cri_switch.model import errors

ROOT = Path(__file__).parents[3]
SOURCES = [
    *(path for path in (ROOT / "cri_switch" / "checks").glob("*.py") if path.name != "catalogue.py"),
    ROOT / "cri_switch" / "cli" / "offline.py",
    ROOT / "cri_switch" / "cluster" / "rights.py",
    ROOT / "cri_switch" / "node" / "actions" / "configure_kubelet.py",
    ROOT / "cri_switch" / "node" / "actions" / "configure_runtime.py",
    ROOT / "cri_switch" / "node" / "planned_files.py",
    ROOT / "tasks" / "guarded.py",
    ROOT / "tasks" / "preflight.py",
    ROOT / "tasks" / "workload_findings.py",
]
WORD = re.compile(r"[A-Z][a-z]+(?:[A-Z][A-Za-z]*)+")
KUBERNETES = {
    "DaemonSet", "StatefulSet", "ReplicaSet", "ReplicationController", "CronJob", "NoSchedule", "NoExecute",
    "CharDevice", "BlockDevice", "SelfSubjectAccessReview", "PodDisruptionBudget", "PersistentVolume",
    "PersistentVolumeClaim", "DoNotSchedule",
}  # fmt: skip
ERRORS = {name for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)}


def raised() -> set[str]:
    """Words of two humps that stand alone in a string of the checks."""
    nodes = [node for path in SOURCES for node in ast.walk(ast.parse(path.read_text()))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if WORD.fullmatch(text)} - KUBERNETES


def test_every_name_raised_is_in_the_catalogue() -> None:
    assert {"BarePod", "VersionSkew", "MissingRight", "BackupNotAcknowledged"} <= raised()
    assert raised() - NAMES == set()


def test_every_name_in_the_catalogue_is_raised() -> None:
    assert NAMES - raised() - ERRORS == set()


def test_every_name_is_tested() -> None:
    texts = "".join(
        path.read_text() for part in ("unit", "rehearsal") for path in (ROOT / "tests" / part).rglob("*.py")
    )
    assert {name for name in NAMES - ERRORS if f'"{name}"' not in texts} == set()


def test_errors_of_looking_at_a_node_are_in_the_catalogue() -> None:
    assert {"Unreachable", "HostKeyRefused", "LoginRefused", "SudoRefused", "RemoteTimeout"} <= NAMES


def test_the_page_is_made_from_it() -> None:
    assert (ROOT / "docs" / "findings.md").read_text() == page(), (
        "python -m cri_switch.checks.catalogue > docs/findings.md"
    )
