"""A plan with all that a person wants to know before the run; saved, it is what `migrate --plan` does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cri_switch.model.estimate import Estimate
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan
from cri_switch.model.steps import STEPS


class BackupPlan(BaseModel):
    """What the run saves first, and what nobody saves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    directory: str
    """Where a directory of its own is made, on the machine that runs it; "" where no backup is made."""
    saved: tuple[str, ...] = ()
    not_saved: tuple[str, ...] = ()


class PlannedRun(Plan):
    """`-o json`, and the file of `plan --out`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    apiVersion: Literal["cri-switch/v1alpha1"] = "cri-switch/v1alpha1"  # noqa: N815 (Kubernetes' spelling)
    kind: Literal["Plan"] = "Plan"
    settings: Migration
    steps: tuple[str, ...] = STEPS
    runtimes: dict[str, str] = Field(default_factory=dict)
    """Per node that would be switched the version of the target that it would run, where that is known."""
    backup: BackupPlan
    estimate: Estimate
    findings: tuple[Finding, ...] = ()
    read_files: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Per node and path the sha256 of the settings that were read there."""
    next_command: str = ""

    def blocked_by(self, node: str) -> list[str]:
        """The names of the errors that were found on a node."""
        return sorted({each.name for each in self.findings if each.level == "error" and each.node == node})

    @property
    def bare(self) -> Plan:
        """The plan itself: what tasks are given."""
        return Plan(**{name: getattr(self, name) for name in Plan.model_fields})


def moved_nodes(saved: PlannedRun, now: Plan) -> list[str]:
    """One line for each fact of the cluster that is not as it was when the plan was made."""
    if saved.cluster_uid != now.cluster_uid:
        return [f"it is another cluster: UID {now.cluster_uid}, planned {saved.cluster_uid}"]
    old, new = {n.node.name: n for n in saved.nodes}, {n.node.name: n for n in now.nodes}
    lines = [f"{name}: joined the cluster" for name in sorted(new.keys() - old.keys())]
    lines += [f"{name}: left the cluster" for name in sorted(old.keys() - new.keys())]
    for name in sorted(old.keys() & new.keys()):
        one, other = old[name], new[name]
        if one.node.uid != other.node.uid:
            lines.append(f"{name}: was re-created (UID {other.node.uid}, planned {one.node.uid})")
        elif {one.action, other.action} != {"skip"}:
            changes = differing(one.model_dump(), other.model_dump())
            lines += [f"{name}: {line.removeprefix('node.')}" for line in changes]
    if not lines and saved.batches != now.batches:
        lines.append("the batches would be others")
    return lines


def moved_files(saved: PlannedRun, now: Mapping[str, Mapping[str, str]]) -> list[str]:
    """One line for each file of a planned node that is not as it was; `now` is as `read_files`."""
    return [
        f"{node.name}: {line}"
        for node in saved.todo
        for line in _files(saved.read_files.get(node.name, {}), now.get(node.name, {}))
    ]


def moved_runtimes(saved: PlannedRun, now: Mapping[str, tuple[str, str]]) -> list[str]:
    """One line for each planned node that would get another version; `now` has (version, source), "" where unknown."""
    lines = []
    for name in (node.name for node in saved.todo):
        old, new = saved.runtimes.get(name, ""), now.get(name, ("", ""))[0]
        if old != new:
            lines.append(f"{name}: {saved.target} {old or 'unknown'} -> {new or 'unknown'}")
    return lines


def _files(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    word = {(False, True): "is there now", (True, False): "is gone", (True, True): "has changed"}
    return [
        f"{path} {word[path in old, path in new]}"
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def differing(old: object, new: object, keys: str = "") -> list[str]:
    """`spec.ramp: 1,5 -> 1,9` for each value that differs."""
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        names = list(dict.fromkeys([*old, *new]))
        return [
            line for name in names for line in differing(old.get(name), new.get(name), f"{keys}.{name}".lstrip("."))
        ]
    return [f"{keys}: {old if old not in ('', None) else 'unset'} -> {new if new not in ('', None) else 'unset'}"]
