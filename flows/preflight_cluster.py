"""Look, and change nothing: all that stands in the way of a migration, or should be known before it."""

from __future__ import annotations

from prefect import flow

from cri_switch.model.finding import Findings
from cri_switch.model.migration import Migration
from flows.ended import told
from flows.first_checks import look_first
from tasks import reach, stop
from tasks.discover import discover
from tasks.plan import plan_nodes


@flow(name="preflight-cluster", flow_run_name="{migration.metadata.name}", persist_result=False)
def preflight_cluster(migration: Migration) -> Findings:
    """Every check on every node that a migration would switch, read-only."""
    stop.begin()
    with told(lambda: "nothing was touched"), reach.all_closed():
        found = discover(migration)
        return Findings(findings=tuple(look_first(found, plan_nodes(found, migration), migration).findings))
