from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cri_switch.checks.control_plane import ControlPlaneState, check_control_plane, check_outage
from cri_switch.model.node_ref import NodeRef

DAY = 86400.0
GOOD = ControlPlaneState(
    node="cp1",
    now=1_800_000_000.0,
    members=3,
    answered=3,
    db_size=10,
    etcd_free=100,
    backup_free=100,
    certificates=(("/pki/a.crt", "a", 1_800_000_000.0 + 31 * DAY),),
)


def test_nothing_in_the_way() -> None:
    assert check_control_plane(GOOD) == []
    assert check_control_plane(replace(GOOD, members=1, answered=1)) == []
    assert check_control_plane(replace(GOOD, members=4, answered=4, learners=1)) == []
    assert check_control_plane(replace(GOOD, members=0, answered=None, etcd_free=None, backup_free=None)) == []


@pytest.mark.parametrize(
    ("change", "level", "name", "words"),
    [
        ({"answered": 2, "problem": "x\nb: connection refused"}, "error", "EtcdUnhealthy", "2 of 3 members"),
        ({"members": 0, "answered": 0}, "error", "EtcdUnhealthy", "0 of ?"),
        ({"alarms": ("alarm:NOSPACE", "alarm:NOSPACE")}, "error", "EtcdAlarm", "NOSPACE"),
        ({"members": 2, "answered": 2}, "error", "EtcdQuorum", "1 of 2 members"),
        ({"members": 3, "answered": 3, "learners": 1}, "error", "EtcdQuorum", "1 of 2 members"),
        ({"etcd_free": 9}, "error", "SnapshotSpace", "etcd's data directory"),
        ({"backup_free": 9}, "error", "SnapshotSpace", "spec.backup.directory"),
        ({"local_etcd": False}, "error", "EtcdNotLocal", "static pod"),
        (
            {"certificates": (("/f", "s", GOOD.now + 29 * DAY),)},
            "warning",
            "CertificateExpires",
            "/f (s) expires on 20",
        ),
        ({"certificates": (("/f", "s", GOOD.now - 1),)}, "error", "CertificateExpired", "/f (s) expired"),
    ],
)
def test_found(change: dict[str, Any], level: str, name: str, words: str) -> None:
    (finding,) = check_control_plane(replace(GOOD, **change))
    assert (finding.level, finding.name, finding.node) == (level, name, "cp1")
    assert words in finding.summary
    assert finding.remedy


@pytest.mark.parametrize(
    ("missing", "level"),
    [(("cp2",), "warning"), (("cp3",), "error"), (("cp2", "cp3"), "error"), ((), "error"), (("",), "error")],
)
def test_a_member_that_this_run_brings_back_does_not_hold_it_up(missing: tuple[str, ...], level: str) -> None:
    """A run that was killed on cp2 left its etcd down: only the next run mends that."""
    state = replace(GOOD, answered=3 - (len(missing) or 1), missing=missing)
    (finding,) = check_control_plane(state, half_done={"cp2"})
    assert (finding.level, finding.name) == (level, "EtcdUnhealthy")
    assert ("cp2, which goes first" in finding.summary) == (level == "warning")
    assert check_control_plane(state)[0].level == "error"


def test_without_a_backup_no_snapshot_is_missed() -> None:
    assert check_control_plane(replace(GOOD, etcd_free=1), backup=False) == []
    assert check_control_plane(replace(GOOD, local_etcd=False), backup=False) == []


def node(name: str, role: Any = "control-plane") -> NodeRef:
    return NodeRef(name=name, uid=name, role=role)


@pytest.mark.parametrize(
    ("nodes", "todo", "count"),
    [
        ([node("cp1"), node("w1", "worker")], [node("cp1")], 1),
        ([node("cp1"), node("w1", "worker")], [node("w1", "worker")], 0),
        ([node("cp1"), node("cp2")], [node("cp1")], 0),
    ],
)
def test_an_only_control_plane_is_an_outage(nodes: list[NodeRef], todo: list[NodeRef], count: int) -> None:
    found = check_outage(nodes, todo)
    assert [(one.level, one.name) for one in found] == [("warning", "SingleControlPlane")] * count
