"""Nothing that changes a node is begun on a machine of the cluster itself."""

from __future__ import annotations

from cri_switch.checks.orchestrator import check_orchestrator
from cri_switch.model.migration import Migration
from tasks import reach
from tasks.look import look
from tasks.orchestrator import here
from tasks.preflight import verdict


@look
def refuse_on_a_node(migration: Migration) -> None:
    """What a migration's preflight asks of the machine that it runs on, for what runs without one.

    Raises:
        PreflightError: this process runs on one of the nodes, or its own pod is one of the cluster's.
    """
    api = reach.cluster(migration)
    problem = verdict(check_orchestrator(here(api), api.list("Node")))
    if problem is not None:
        raise problem
