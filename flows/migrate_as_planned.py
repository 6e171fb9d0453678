"""A plan that was saved, and nothing else."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State

from cri_switch.model.planned_run import PlannedRun
from cri_switch.model.report import Report
from flows.migrate_cluster import run
from tasks import stop


@flow(name="migrate-cluster", flow_run_name="{saved.settings.metadata.name}", persist_result=False)
def migrate_as_planned(saved: PlannedRun) -> Report | State[Report]:
    """migrate-cluster with the plan's own settings.

    Raises:
        Moved: the cluster, a node's files or the version that it would get are not as they were; nothing was touched.
            Otherwise as migrate_cluster.
    """
    stop.begin()
    return run(saved.settings, saved)
