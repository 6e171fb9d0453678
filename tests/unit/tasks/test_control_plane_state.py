"""What is read of a control-plane node, by answers that a real one gave."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.migration import Backup
from cri_switch.node.command import Result
from tasks.control_plane_state import control_plane_state
from tasks.guarded import Guarded
from tasks.node_state import Reading
from tests.unit.tasks.test_node_state import DF, FILES, MIGRATION, NODE, container, node
from tests.unit.tasks.test_preflight import ETCD_FILE, LABELS, plane

CP = NODE.model_copy(update={"name": "cp1", "role": "control-plane"})
ROOM = DF + " 100 50 /etcd /var/lib/etcd\n"
MEMBERS = json.dumps({"members": [{"ID": n, "name": f"cp{n}"} for n in (1, 2, 3)]})


def status(*members: dict[str, Any]) -> str:
    return json.dumps([{"Endpoint": "e", "Status": each} for each in members])


def member(number: int, size: int = 5, **more: Any) -> dict[str, Any]:
    return {"dbSize": size, "header": {"member_id": number}, **more}


ALL = status(*map(member, (1, 2, 3)))


def state(first: dict[str, Any], directory: str = "-", half_done: frozenset[str] = frozenset()) -> tuple[Any, Guarded]:
    guarded = Guarded()
    answers = plane(**{"df -B1": ROOM, "member list": MEMBERS, "endpoint status": ALL, **first})
    spec = MIGRATION.spec.model_copy(update={"backup": Backup(directory=directory)})
    migration = MIGRATION.model_copy(update={"spec": spec})
    reading = Reading(node(first=answers), CP, migration, guarded)
    return control_plane_state(reading, migration, guarded, half_done), guarded


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ({}, {"members": 3, "answered": 3, "missing": (), "db_size": 5, "etcd_free": 50, "local_etcd": True}),
        (
            {"endpoint status": Result(1, status(member(1, 7), member(3)), "cp2: connection refused\n")},
            {"members": 3, "answered": 2, "missing": ("cp2",), "db_size": 7, "problem": "cp2: connection refused"},
        ),
        ({"endpoint status": Result(1, "", "all down")}, {"members": 3, "answered": 0, "problem": "all down"}),
        ({"endpoint status": status(member(1, errors=["alarm:NOSPACE"]))}, {"alarms": ("alarm:NOSPACE",)}),
        ({"endpoint status": status(member(1), member(2, isLearner=True))}, {"learners": 1}),
        ({"member list": Result(1, "no")}, {"members": 0, "answered": 3, "missing": ()}),
        ({"os-release": FILES}, {"local_etcd": False, "answered": None, "etcd_free": None, "backup_free": None}),
        ({"df -B1": DF}, {"etcd_free": None}),
        ({"os-release": ETCD_FILE.replace("hostPath: {path: /var/lib/etcd}", "hostPath: {path: /srv/e}")},
         {"etcd_free": None, "members": 3}),
        ({"--type container": container("x", LABELS | {"io.kubernetes.pod.namespace": "mine"})},
         {"answered": 0, "problem": "its container does not run"}),
    ],
)  # fmt: skip
def test_what_etcd_says(first: dict[str, Any], expected: dict[str, Any]) -> None:
    found, guarded = state(first)
    assert {name: getattr(found, name) for name in expected} == expected
    assert guarded.problems == []
    assert found.node == "cp1"


def test_an_etcd_that_this_run_brings_back_is_not_blamed() -> None:
    gone = {"--type container": container("x", LABELS | {"io.kubernetes.container.name": "other"})}
    assert state(gone)[0].answered == 0
    assert state(gone, half_done=frozenset({"cp1"}))[0].answered is None


def test_a_manifest_that_is_not_understood_leaves_the_certificates() -> None:
    found, guarded = state({"os-release": ETCD_FILE.replace("--data-dir", "--other-dir")})
    assert found.answered is None
    assert [type(each).__name__ for each in guarded.problems] == ["RenderError"]


@pytest.mark.parametrize("below", ["", "not/there", "not/there/yet"])
def test_room_for_the_backup_is_that_of_the_nearest_directory(tmp_path: Path, below: str) -> None:
    free = state({}, str(tmp_path / below))[0].backup_free
    assert abs(free - shutil.disk_usage(tmp_path).free) < 1 << 30


def test_a_backup_below_a_file_is_judged_by_the_directory_above(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert state({}, str(tmp_path / "file/backup"))[0].backup_free > 0
