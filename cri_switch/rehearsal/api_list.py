"""Lists of the simulated API, page by page."""

from __future__ import annotations

from typing import Any

from cri_switch.rehearsal.api_reply import Call, Place, Reply, failure
from cri_switch.rehearsal.api_select import matches
from cri_switch.rehearsal.store import Store

Obj = dict[str, Any]


class Lists:
    """Keeps what a list's further pages are taken from."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pages: dict[str, list[Obj]] = {}

    def answer(self, call: Call, place: Place) -> Reply:
        """A page of a kind's objects, or all. Raises BadSelector."""
        token = call.query.get("continue", "")
        version = str(self._store.version)
        if token:
            snapshot, _, at = token.partition(":")
            if snapshot not in self._pages:
                return failure(410, "Expired", "The provided continue parameter is too old")
            version, found, start = snapshot, self._pages[snapshot], int(at)
        else:
            labels, fields = call.query.get("labelSelector", ""), call.query.get("fieldSelector", "")
            namespace = place.namespace or None
            found = [o for o in self._store.peek(place.kind.kind, namespace) if matches(o, labels, fields)]
            start = 0
        limit = int(call.query.get("limit") or 0) or len(found) or 1
        metadata = {"resourceVersion": version}
        if start + limit < len(found):
            self._pages[version] = found
            metadata["continue"] = f"{version}:{start + limit}"
        items = [{k: v for k, v in o.items() if k not in ("kind", "apiVersion")} for o in found[start : start + limit]]
        head = {"kind": f"{place.kind.kind}List", "apiVersion": place.kind.group_version}
        return Reply(200, {**head, "metadata": metadata, "items": items})
