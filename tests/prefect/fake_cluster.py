"""The real flow `migrate_cluster` with steps that touch nothing: three nodes, each step takes `FAKE_SECONDS`.

As a program it is `cri-switch` with these steps; as an entrypoint of a deployment it is the flow.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path

from cri_switch.cli.engine import prepare

prepare()

from prefect import flow, get_run_logger  # noqa: E402

import flows.batch  # noqa: E402
import flows.migrate_cluster as under_test  # noqa: E402
import tasks.finish  # noqa: E402
from cri_switch.model.attempt import Attempt  # noqa: E402
from cri_switch.model.migration import Migration  # noqa: E402
from cri_switch.model.node_outcome import NodeOutcome  # noqa: E402
from cri_switch.model.node_ref import NodeRef  # noqa: E402
from cri_switch.model.plan import NodePlan, Plan  # noqa: E402
from cri_switch.model.step_result import StepResult  # noqa: E402
from tasks import step, stop  # noqa: E402

SECONDS = float(os.environ.get("FAKE_SECONDS", "20"))
BLOCKED = bool(os.environ.get("FAKE_BLOCKED"))
"""Steps do not look at the flag, like a command on a node that takes its time."""
TRACE = os.environ.get("FAKE_TRACE", "")
STEPS = ("cordon", "drain", "stop_kubelet", "uncordon")
NODES = tuple(NodeRef(name=name, uid=name, runtime="docker://20.10.5") for name in ("w1", "w2", "w3"))


def trace(line: str) -> None:
    if TRACE:
        with Path(TRACE).open("a") as file:
            file.write(line + "\n")


@flow(name="migrate-node", flow_run_name="{node.name}", persist_result=False)
def migrate_node(node: NodeRef, migration: Migration, plan: Plan) -> NodeOutcome:
    results = []
    for name in STEPS:
        stop.check(f"{name} of {node.name}")
        started = time.time()
        step._STANDS[node.name] = f"{name} (not finished)"
        trace(f"{node.name} {name} began")
        if BLOCKED:
            time.sleep(SECONDS)
        else:
            stop.sleep(SECONDS)
        trace(f"{node.name} {name} ended")
        step._STANDS[node.name] = f"{name} (done)"
        data = {"runtime_before": node.runtime}
        results.append(
            StepResult(node=node.name, step=name, summary="", started=started, finished=time.time(), data=data)
        )
    attempt = Attempt(cluster_uid="c", migration_id=plan.migration_id, node=node, number=1, boot_id="b")
    return NodeOutcome(attempt=attempt, results=tuple(results))


def plan_nodes(_found: object, _migration: Migration) -> Plan:
    nodes = tuple(NodePlan(node=node, action="migrate") for node in NODES)
    return Plan(cluster_uid="c", migration_id="m", target="containerd", nodes=nodes, batches=(NODES[:1], NODES[1:]))


def nodes_now(_migration: Migration) -> list[NodeRef]:
    return list(NODES)


def nothing(*_args: object, **_kwargs: object) -> str:
    return ""


def verify(*_args: object) -> str:
    get_run_logger().info("every batch is done")
    return ""


NOTHING = (
    *("discovered", "remember", "first_checks", "backup", "note_workloads"),
    *("taint_waiting", "_stage", "gate", "clear_taints", "mend_holds", "end_holds"),
)
for each in NOTHING:
    assert hasattr(under_test, each), each
    setattr(under_test, each, nothing)
for name, value in (("plan_nodes", plan_nodes), ("verify_cluster", verify)):
    assert hasattr(under_test, name), name
    setattr(under_test, name, value)
setattr(under_test, "locked", lambda *_: nullcontext())  # noqa: B010
setattr(flows.batch, "migrate_node", migrate_node)  # noqa: B010
setattr(flows.batch, "cordon_batch", nothing)  # noqa: B010
setattr(flows.batch, "free_batch", lambda nodes, *_: [node.name for node in nodes])  # noqa: B010
setattr(tasks.finish, "nodes_now", nodes_now)  # noqa: B010
setattr(flows.batch.Batches, "remove_docker", nothing)  # noqa: B010
migrate_cluster = under_test.migrate_cluster

if __name__ == "__main__":
    from cri_switch.cli.main import main

    main(sys.argv[1:])
