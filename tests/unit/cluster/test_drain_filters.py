"""kubectl's filters: which pods go, which stay, which refuse, and with which words."""

from __future__ import annotations

from typing import Any

import pytest

from cri_switch.cluster.drain_filters import Filters, aggregate, filtered, should_skip
from cri_switch.cluster.pods import epoch
from cri_switch.model.migration import Drain
from tests.unit.cluster.fake_api import pod

NOW = epoch("2026-11-23T18:10:00Z")
DAEMON = "DaemonSet/agent"
UNMANAGED = "cannot delete Pods that declare no controller (use --force to override)"
LOCAL = "Pods with local storage (use --delete-emptydir-data to override)"
GONE = 'daemonsets.apps "agent" not found'


def deleted(at: str) -> dict[str, Any]:
    found = pod("p")
    found["metadata"]["deletionTimestamp"] = at
    return found


@pytest.mark.parametrize(
    ("given", "flags", "daemon_set", "expected"),
    [
        (pod("p"), {}, True, (True, "Okay", "")),
        (pod("p", owner=DAEMON), {}, True, (False, "Warning", "ignoring DaemonSet-managed Pods")),
        (pod("p", owner=DAEMON), {}, False, (False, "Error", GONE)),
        # As in kubectl: the filters after it overwrite the warning of a DaemonSet that is gone.
        (pod("p", owner=DAEMON), {"force": True}, False, (True, "Okay", "")),
        (pod("p", owner=DAEMON, phase="Failed"), {}, False, (True, "Okay", "")),
        (pod("p", owner=DAEMON, empty_dir=True), {}, True, (False, "Warning", "ignoring DaemonSet-managed Pods")),
        (pod("p", owner="", mirror=True), {}, True, (False, "Skip", "")),
        (pod("p", owner="Node/w1", mirror=True, empty_dir=True), {}, True, (False, "Skip", "")),
        (pod("p", owner="Job/once", phase="Succeeded"), {}, True, (True, "Okay", "")),
        (pod("p", owner="", phase="Succeeded"), {}, True, (True, "Okay", "")),
        (pod("p", owner="", phase="Failed", empty_dir=True), {}, True, (True, "Okay", "")),
        (pod("p", owner=""), {}, True, (False, "Error", UNMANAGED)),
        (pod("p", owner=""), {"force": True}, True, (True, "Warning", "deleting Pods that declare no controller")),
        (pod("p", empty_dir=True), {}, True, (False, "Error", LOCAL)),
        (pod("p", empty_dir=True), {"delete_emptydir_data": True}, True, (True, "Okay", "")),
        (pod("p", owner="", empty_dir=True), {"force": True}, True, (False, "Error", LOCAL)),
        (deleted("2026-11-23T18:09:00Z"), {"skip_wait_for_delete_timeout": 30}, True, (False, "Skip", "")),
        (deleted("2026-11-23T18:09:45Z"), {"skip_wait_for_delete_timeout": 30}, True, (True, "Okay", "")),
        (deleted("2026-11-23T17:00:00Z"), {}, True, (True, "Okay", "")),
    ],
)
def test_filter(given: Any, flags: Any, daemon_set: bool, expected: tuple[bool, str, str]) -> None:
    status = Filters(Drain(**flags), lambda _ns, _name: daemon_set, NOW).status(given)
    assert (status.delete, status.reason, status.message) == expected


def test_daemonsets_not_ignored() -> None:
    status = Filters(Drain(), lambda *_: True, NOW, ignore_daemonsets=False).status(pod("p", owner=DAEMON))
    assert (status.delete, status.message) == (False, "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)")


def test_a_controller_reference_must_be_the_controller() -> None:
    found = pod("p")
    found["metadata"]["ownerReferences"][0]["controller"] = False
    assert Filters(Drain(), lambda *_: True, NOW).status(found).message == UNMANAGED


def test_texts() -> None:
    items = [
        pod("a", owner=DAEMON),
        pod("b", owner=DAEMON),
        pod("c", empty_dir=True),
        pod("d", owner=""),
        pod("e", owner="", namespace="x"),
        pod("f"),
    ]
    found = filtered(items, Filters(Drain(), lambda *_: True, NOW))
    assert found.warnings == "ignoring DaemonSet-managed Pods: lab/a, lab/b"
    assert found.errors == [f"cannot delete {LOCAL}: lab/c", f"{UNMANAGED}: lab/d, x/e"]
    assert [p["metadata"]["name"] for p in found.to_delete] == ["f"]
    assert aggregate(found.errors) == f"[cannot delete {LOCAL}: lab/c, {UNMANAGED}: lab/d, x/e]"
    assert aggregate(["one", "one"]) == "one"


def test_the_skip_is_for_longer_than() -> None:
    at = "2026-11-23T18:09:30Z"
    assert not should_skip(deleted(at), 30, epoch("2026-11-23T18:10:00Z"))
    assert should_skip(deleted(at), 30, epoch("2026-11-23T18:10:01Z"))
