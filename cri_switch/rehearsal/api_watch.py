"""A watch of the simulated API: what changed after a version, as it happens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from cri_switch.rehearsal.api_reply import Call, Place, failure
from cri_switch.rehearsal.api_select import matches
from cri_switch.rehearsal.api_state import ApiState
from cri_switch.rehearsal.http_api import Api
from cri_switch.rehearsal.store import Event

Obj = dict[str, Any]
_SECONDS = 300.0
_LOOK = 1.0
"""Real seconds until the end of the server is seen."""


def watch(api: Api, call: Call) -> Iterator[Obj]:
    """Watch events until timeoutSeconds are over or the API goes away.

    Without a resourceVersion, or with 0, it begins with all that is there; from one that is forgotten there is one
    event, ERROR with a Status of 410, as a server's after etcd's compaction.
    """
    place = api.place(call.path)
    assert place is not None  # noqa: S101 (the list was answered)
    labels, fields = call.query.get("labelSelector", ""), call.query.get("fieldSelector", "")
    deadline = time.monotonic() + float(call.query.get("timeoutSeconds") or _SECONDS)
    store, since = api.store, int(call.query.get("resourceVersion") or 0)
    if not since:
        with store.lock:
            since, there = store.version, store.list(place.kind.kind, place.namespace or None)
        yield from (_event(place, "ADDED", obj) for obj in there if matches(obj, labels, fields))
    while time.monotonic() < deadline and api.state() is not ApiState.AWAY:
        with store.changed:
            if store.forgotten > since:
                gone = f"too old resource version: {since} ({store.forgotten})"
                yield {"type": "ERROR", "object": failure(410, "Expired", gone).body}
                return
            fresh = [event for event in store.events if event.version > since]
            if not fresh:
                store.changed.wait(max(0.0, min(_LOOK, deadline - time.monotonic())))
                continue
            since = fresh[-1].version
        for event in fresh:
            if _meant(place, event) and matches(event.object, labels, fields):
                yield _event(place, event.type, event.object)


def _meant(place: Place, event: Event) -> bool:
    return event.kind == place.kind.kind and place.namespace in ("", event.object["metadata"].get("namespace", ""))


def _event(place: Place, what: str, obj: Obj) -> Obj:
    return {"type": what, "object": {**obj, "apiVersion": place.kind.group_version, "kind": place.kind.kind}}
