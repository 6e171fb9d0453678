"""A plan as a page for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from cri_switch.cli.tables import plan_diff, table
from cri_switch.model.plan import NodePlan
from cri_switch.model.planned_run import PlannedRun
from cri_switch.render.findings import findings_text
from cri_switch.render.version import upstream

HEAD = ("NODE", "ROLES", "KUBELET", "RUNTIME", "TARGET", "ACTION", "REASON")


def plan_text(plan: PlannedRun) -> str:
    """The nodes in the order of the run, the batches, a node's steps, the backup, the time, the findings, what next."""
    return "\n\n".join("\n".join(part) for part in _parts(plan))


def _parts(plan: PlannedRun) -> Iterator[list[str]]:
    yield [_nodes(plan)]
    if plan.todo:
        yield [_batches(plan)]
        yield [f"Steps of a node: {', '.join(plan.steps)}", _packages(plan)]
        yield list(_backup(plan))
        yield [f"Estimated duration: {spoken(plan.estimate.seconds)}", *(f"  {line}" for line in plan.estimate.grounds)]
    if plan.findings:
        yield [findings_text(plan.findings)]
    if plan.files:
        yield [plan_diff(plan)]
    blocked = sum(1 for node in plan.todo if plan.blocked_by(node.name))
    yield [plan.summary.rstrip(".") + (f", {blocked} of them blocked." if blocked else ".")]
    if plan.next_command:
        errors = any(each.level == "error" for each in plan.findings)
        yield [f"Next: {'mend the errors, then: ' if errors else ''}{plan.next_command}"]


def spoken(seconds: float) -> str:
    """`1 h 05 min`, `12 min`, `40 s`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def _nodes(plan: PlannedRun) -> str:
    order = {node.name: number for number, node in enumerate(plan.todo)}
    nodes = sorted(plan.nodes, key=lambda each: (order.get(each.node.name, len(order)), each.node.name))
    return table(HEAD, (_row(plan, each) for each in nodes))


def _row(plan: PlannedRun, each: NodePlan) -> list[str]:
    node, blocked = each.node, plan.blocked_by(each.node.name)
    chosen = each.action != "skip"
    version = upstream(plan.runtimes.get(node.name, ""))
    target = "://".join(filter(None, [plan.target, version])) if chosen else ""
    reasons = [*blocked, each.reason, "Docker's packages are left to remove" if each.remove_docker else ""]
    reasons += ["cordoned, and stays so" if node.unschedulable and chosen else ""]
    action = "blocked" if blocked else each.action
    return [
        node.name,
        node.role,
        node.kubelet_version,
        node.runtime,
        target,
        action,
        "; ".join(filter(None, reasons)),
    ]


def _batches(plan: PlannedRun) -> str:
    zones = {each.node.name: each.zone for each in plan.nodes}
    rows = []
    for number, batch in enumerate(plan.batches, 1):
        about = ["control plane, alone" if batch[0].role == "control-plane" else "first, alone" if number == 1 else ""]
        about += [f"zone {zones[batch[0].name]}" if zones[batch[0].name] else ""]
        rows.append([str(number), ", ".join(node.name for node in batch), "; ".join(filter(None, about))])
    return table(("BATCH", "NODES", "NOTE"), rows)


def _packages(plan: PlannedRun) -> str:
    when = {
        "after_migration": "removed, never purged, once the whole cluster is verified",
        "after_node": "removed, never purged, after each node",
        "never": "left where they are",
    }
    return f"Docker's packages are {when[plan.settings.spec.remove_docker]}; Docker's data stays."


def _backup(plan: PlannedRun) -> Iterator[str]:
    if not plan.backup.directory:
        yield "Backup: none (spec.backup.skip)"
        return
    yield f"Backup: a directory of its own below {plan.backup.directory}, on this machine"
    yield from (f"  in it: {line}" for line in plan.backup.saved)
    yield from (f"  not in it: {line}" for line in plan.backup.not_saved)
