"""Objects, versions, deletions with grace, and who did what."""

from __future__ import annotations

import uuid

import pytest

from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.store import Conflict, Event, Missing, Store


def make() -> Store:
    return Store(VirtualClock())


def test_copies_go_in_and_out() -> None:
    store, mine = make(), {"metadata": {"name": "a"}, "spec": {"x": 1}}
    store.create("Node", mine)
    mine["spec"] = {}
    (store.get("Node", "a") or {})["spec"] = {}
    assert (store.get("Node", "a") or {})["spec"] == {"x": 1}


def test_versions_grow_and_an_old_one_is_refused() -> None:
    store = make()
    old = store.create("Node", {"metadata": {"name": "a"}, "spec": {}})
    new = store.update("Node", {**old, "spec": {"unschedulable": True}})
    assert int(new["metadata"]["resourceVersion"]) > int(old["metadata"]["resourceVersion"])
    assert new["metadata"]["generation"] == 2
    with pytest.raises(Conflict):
        store.update("Node", {**old, "spec": {}})
    with pytest.raises(Conflict, match="already exists"):
        store.create("Node", {"metadata": {"name": "a"}})
    with pytest.raises(Missing):
        store.update("Node", {"metadata": {"name": "b"}})


def test_a_generated_name_is_a_free_one(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([1, 7, 1, 2, 8])  # a name, a UID; the same name, another, a UID
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=next(drawn) << 120))
    store = make()
    made = [store.create("Pod", {"metadata": {"generateName": "web-", "namespace": "shop"}}) for _ in range(2)]
    assert [each["metadata"]["name"] for each in made] == ["web-01000", "web-02000"]


def test_an_update_that_changes_nothing_is_no_event() -> None:
    store = make()
    obj = store.create("Node", {"metadata": {"name": "a"}, "spec": {}})
    store.update("Node", obj)
    assert len(store.events) == 1


def test_a_pod_on_a_node_waits_for_its_kubelet() -> None:
    store = make()
    heard: list[Event] = []
    store.subscribe(heard.append)
    pod = store.create("Pod", {"metadata": {"name": "p", "namespace": "n"}, "spec": {"nodeName": "w1"}})
    with store.acting("api:x"):
        store.delete("Pod", "p", "n")
        store.delete("Pod", "p", "n")
    assert (store.get("Pod", "p", "n") or {})["metadata"]["deletionGracePeriodSeconds"] == 30
    with store.acting("kubelet:w1"):
        store.finalize("Pod", pod)
    assert [(event.type, event.actor) for event in heard] == [
        ("ADDED", "system"),
        ("MODIFIED", "api:x"),
        ("DELETED", "kubelet:w1"),
    ]


def test_another_pod_of_the_name_is_not_taken_away() -> None:
    store = make()
    pod = store.create("Pod", {"metadata": {"name": "p", "namespace": "n"}, "spec": {}})
    store.delete("Pod", "p", "n")
    store.create("Pod", {"metadata": {"name": "p", "namespace": "n"}, "spec": {}})
    store.finalize("Pod", pod)
    assert store.get("Pod", "p", "n") is not None
