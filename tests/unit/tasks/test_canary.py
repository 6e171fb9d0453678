"""Whether the canary has been: by marks, by journals, and by nobody's word where a node says nothing."""

from __future__ import annotations

import logging

import pytest

from cri_switch.model.errors import Unreachable
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan, Plan
from cri_switch.node.command import Result
from cri_switch.node.fake import ScriptedConnection
from tasks import canary

MIGRATION = Migration(
    metadata=Metadata(name="m"), spec=Spec(cluster=ClusterAccess(kubeconfig="k"), backup=Backup(directory="d"))
)
SETTLED = '{"time":1,"run":"r","attempt":1,"step":"settle","event":"done"}\n'
STAGED = '{"time":1,"run":"r","attempt":1,"step":"stage","event":"done"}\n'
NEVER_HAD = Result(1, "", "cat: journal.jsonl: No such file or directory")


def done(*nodes: NodePlan) -> bool:
    return canary.canary_done.fn(
        Plan(cluster_uid="c", migration_id="m", target="containerd", nodes=nodes, batches=()), MIGRATION
    )


def on(runtime: str, action: str = "skip", *, switched: bool = False) -> NodePlan:
    node = NodeRef(name="w1", uid="u", runtime=f"{runtime}://1.0")
    return NodePlan.model_validate({"node": node, "action": action, "switched": switched})


@pytest.mark.parametrize(
    ("journal", "expected"),
    [(SETTLED, True), (STAGED, False), (NEVER_HAD, False), (Unreachable("w1: no connection"), True)],
    ids=["switched", "only staged", "never had", "does not answer"],
)
def test_a_node_on_the_target_is_asked(
    journal: str | Result | Exception, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.canary.reach.node", lambda *_: ScriptedConnection("w1", {"journal.jsonl": journal}))
    monkeypatch.setattr(canary, "get_run_logger", lambda: logging.getLogger("test"))
    assert done(on("containerd")) is expected


def test_a_mark_says_it_and_other_nodes_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("a node was asked")

    monkeypatch.setattr("tasks.canary.reach.node", asked)
    assert done(on("docker", "migrate"), on("containerd", switched=True))
    assert not done(on("docker", "migrate"), on("containerd", "resume"))
