"""What a person wants to know beside the order: the backup and what is not in it, the time, what was found."""

from __future__ import annotations

from cri_switch.checks.pods import drained
from cri_switch.cluster.not_backed_up import not_backed_up
from cri_switch.model.estimate import estimate
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan
from cri_switch.model.planned_run import BackupPlan, PlannedRun
from tasks import reach
from tasks.look import look

_SAVED = (
    "etcd's snapshot and /etc/kubernetes/pki of one control-plane node",
    "of every node: the settings of kubelet, Docker, containerd, CNI and systemd",
)


@look
def planned_run(
    plan: Plan,
    migration: Migration,
    findings: list[Finding],
    runtimes: dict[str, tuple[str, str]],
    files: dict[str, dict[str, str]],
) -> PlannedRun:
    """The plan with all that; `runtimes` and `files` are what preflight read off the nodes."""
    api, spec = reach.cluster(migration), migration.spec
    pods = [] if any(each.name == "MissingRight" for each in findings) else api.list("Pod")
    backup = BackupPlan(directory="")
    if plan.todo and not spec.backup.skip:
        left_out = not_backed_up(pods, api.list("PersistentVolumeClaim"), api.list("PersistentVolume")) if pods else []
        backup = BackupPlan(directory=spec.backup.directory, saved=_SAVED, not_saved=tuple(left_out))
    grace: dict[str, float] = {}
    for pod in drained(pods, {node.name for node in plan.todo}):
        node, seconds = pod["spec"]["nodeName"], float(pod["spec"].get("terminationGracePeriodSeconds") or 0)
        grace[node] = max(seconds, grace.get(node, 0.0))
    return PlannedRun(
        **{name: getattr(plan, name) for name in Plan.model_fields},
        settings=migration,
        runtimes={name: version for name, (version, _source) in runtimes.items() if version},
        backup=backup,
        estimate=estimate(plan.batches, grace, spec),
        findings=tuple(findings),
        read_files=files,
        next_command=f"prefect deployment run 'migrate-cluster/{migration.metadata.name}'",
    )
