"""What is said of a node that could not be taken back."""

from __future__ import annotations

import pytest

from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import CriSwitchError, NotProven, RemoteTimeout
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.action import Action, Do
from cri_switch.node.command import sudo
from cri_switch.node.fake import ScriptedConnection
from tasks import drain_before_undo, rollback, undone

MIGRATION = Migration(
    metadata=Metadata(name="m"), spec=Spec(cluster=ClusterAccess(kubeconfig="k"), backup=Backup(directory="d"))
)
W1 = NodeRef(name="w1", uid="u", runtime="docker://20.10.5")


def test_it_names_both_failures_the_state_and_the_commands_to_type() -> None:
    said = undone.failed(
        W1, MIGRATION, RemoteTimeout("dockerd is off", state="stopped", next_step="look"), NotProven("first")
    )
    assert "first" in said.what
    assert "the way back to Docker failed: dockerd is off" in said.what
    assert "unhealthy" in said.state
    assert said.state.endswith("stopped")
    assert said.next_step.startswith("look; then: cri-switch rollback w1 -f FILE --yes, or: prefect deployment run ")
    assert "rollback-node/m -p node=w1" in said.next_step


def test_the_error_says_what_was_begun_on_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Quiet:
        def info(self, *_: object) -> None:
            pass

    def action() -> Action:
        yield Do(sudo("systemctl", "stop", "kubelet"), "stop the kubelet")
        yield Do(sudo("systemctl", "start", "docker"), "start dockerd")
        return ""

    node = ScriptedConnection("w1", {"stop kubelet": "", "start docker": CriSwitchError("it does not start")})
    monkeypatch.setattr(rollback, "get_run_logger", Quiet)
    monkeypatch.setattr("tasks.rollback.reach.node", lambda *_: node)
    with pytest.raises(CriSwitchError) as caught:
        rollback._perform(W1, MIGRATION, action())
    assert "stop the kubelet: " in caught.value.state
    assert caught.value.state.index("stop the kubelet") < caught.value.state.index("start dockerd")


def test_a_node_whose_kubelet_is_stopped_is_not_drained(monkeypatch: pytest.MonkeyPatch) -> None:
    """It evicts nothing; and the API of a single control plane is away, and would be waited for."""
    off = "Id=kubelet.service\nLoadState=loaded\nActiveState=inactive\n"

    class Away:
        def get(self, *_: object) -> None:
            raise AssertionError("the API was asked")

    monkeypatch.setattr(drain_before_undo, "get_run_logger", lambda: None)
    monkeypatch.setattr("tasks.rollback.reach.node", lambda *_: ScriptedConnection("w1", {"systemctl show": off}))
    monkeypatch.setattr("tasks.rollback.reach.cluster", lambda _: Away())
    attempt = Attempt(cluster_uid="c", migration_id="m", node=W1, number=1)
    drain_before_undo.drain_before_undo(attempt, MIGRATION, None)


class _Foreign(Exception):
    """As one of the engine's own."""


_Foreign.__module__ = "prefect.exceptions"


@pytest.mark.parametrize(
    ("problem", "back"), [(NotProven("x"), True), (KeyError("a bug"), True), (_Foreign("its server is away"), False)]
)
def test_a_bug_in_a_step_takes_the_node_back_too(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, back: bool
) -> None:
    taken: list[str] = []

    def back_to_docker(_attempt: Attempt, _migration: Migration, reason: str) -> str:
        taken.append(reason)
        return "done"

    monkeypatch.setattr(undone, "rollback", back_to_docker)
    monkeypatch.setattr("tasks.step._STANDS", {})
    monkeypatch.setattr("tasks.undone.stop.stopping", lambda: False)
    attempt = Attempt(cluster_uid="c", migration_id="m", node=W1, number=1)
    with (
        pytest.raises(CriSwitchError if back else _Foreign) as caught,
        undone.undone_on_failure(attempt, MIGRATION),
    ):
        raise problem
    assert bool(taken) is back
    assert getattr(caught.value, "rolled_back", False) is back
