"""Look, and change nothing: which nodes would be switched, in which order, and what stands in the way."""

from __future__ import annotations

from prefect import flow

from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan
from flows.first_checks import first_checks
from tasks import reach, stop
from tasks.discover import discover
from tasks.plan import plan_nodes
from tasks.report import publish_plan


@flow(name="plan-cluster", flow_run_name="{migration.metadata.name}", persist_result=False)
def plan_cluster(migration: Migration) -> Plan:
    """The plan of a migration, read-only.

    Raises:
        PreflightError: a check found a reason not to start; the plan is in the run's artifacts all the same.
    """
    stop.begin()
    with reach.all_closed():
        found = discover(migration)
        plan = plan_nodes(found, migration)
        publish_plan(plan)
        first_checks(found, plan, migration)
        return plan
