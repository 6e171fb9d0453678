"""The backup that the article recommends, before anything is touched."""

from __future__ import annotations

from pathlib import Path

from prefect import get_run_logger

from cri_switch.cluster.not_backed_up import not_backed_up
from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan
from cri_switch.node.backup import backup as save
from tasks import reach
from tasks.look import look


@look
def backup(plan: Plan, migration: Migration) -> str:
    """etcd and the PKI of one control-plane node, every node's files; the path of the directory, or why there is none.

    Raises:
        BackupFailed: it is not whole; the run stops before anything is touched.
    """
    logger, settings = get_run_logger(), migration.spec.backup
    if not plan.todo:
        return ""
    if settings.skip:
        logger.warning("no backup is made: spec.backup.skip is set")
        return ""
    if migration.spec.dry_run:
        logger.info("no backup is made: this is a dry run")
        return ""
    api = reach.cluster(migration)
    left_out = not_backed_up(api.list("Pod"), api.list("PersistentVolumeClaim"), api.list("PersistentVolume"))
    for line in left_out:
        logger.warning("not in the backup: %s", line)
    planes = (n.node for n in plan.nodes if n.node.role == "control-plane")
    # One that is half done comes last: its etcd may not run.
    control_planes = sorted(planes, key=lambda node: node.name in plan.half_done)
    nodes = {node.name: node for node in (*plan.todo, *control_planes[:1])}
    report = save(
        migration.metadata.name,
        {name: reach.node(node, migration) for name, node in nodes.items()},
        [node.name for node in control_planes],
        Path(settings.directory),
        flags_file=migration.spec.kubelet.flags_file,
        not_backed_up=left_out,
    )
    logger.info("backup: %s", report.summary)
    return str(report.directory)
