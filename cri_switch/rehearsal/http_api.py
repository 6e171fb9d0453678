"""The API server of a rehearsal: requests to answers; behind HTTP by http_server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cri_switch.rehearsal import api_paths
from cri_switch.rehearsal.api_kinds import Served
from cri_switch.rehearsal.api_options import strange_options
from cri_switch.rehearsal.api_reply import Call, Place, Reply, failure
from cri_switch.rehearsal.api_resources import Resources
from cri_switch.rehearsal.api_rights import Rights, Wish, refusal
from cri_switch.rehearsal.api_state import ApiState
from cri_switch.rehearsal.api_unready import unready
from cri_switch.rehearsal.store import Store


class Api:
    """One cluster's API server. `fault` is asked first, with the call; `state` says whether it serves at all."""

    def __init__(self, store: Store, release: str, rights: Rights, complain: Callable[[str], None]) -> None:
        self.store = store
        self.served = Served(release)
        self.rights = rights
        self.complain = complain
        self.fault: Callable[[Call], Reply | None] = lambda _call: None
        self.state: Callable[[], ApiState] = lambda: ApiState.SERVES
        self.calls: list[tuple[str, str, int]] = []
        self._resources = Resources(store, self.served, rights)

    def answer(self, call: Call) -> Reply:
        """One call, judged and carried out."""
        if self.state() is ApiState.AWAY:
            return Reply(0, lost=True)
        reply = self.fault(call) or self.really(call)
        self.calls.append((call.method, call.path, reply.status))
        return reply

    def really(self, call: Call) -> Reply:
        """The answer without any fault."""
        user = self.rights.user(call.authorization)
        if user is None:
            return failure(401, "Unauthorized", "Unauthorized")
        place = self.place(call.path)
        found = api_paths.answer(self.served, call.path.rstrip("/")) if place is None and call.method == "GET" else None
        if place is None and found is None:  # whoever asks: RBAC's refusal would hide it
            return self._unknown(call)
        wish = self._wish(call, place)
        strange = strange_options(call, wish.verb)
        if strange:
            return self._unknown(call, f"{', '.join(strange)} of ")
        state = self.state()
        known = state is not ApiState.FORBIDS or user in self.rights.admins
        if not (known and self.rights.allowed(user, wish)):
            details = {"name": wish.name, "group": wish.group, "kind": wish.resource}
            return failure(403, "Forbidden", refusal(user, wish), details)
        early = unready(state, call, place)
        if early is not None:
            return replace(early, after=early.after / self.store.clock.scale)
        with self.store.lock, self.store.acting(f"api:{user}"):
            answer = self._resources.answer(call, place, user) if place is not None else found
        return answer or self._unknown(call)

    def place(self, path: str) -> Place | None:
        """What of its resources a path names; None for another path."""
        parts = path.strip("/").split("/")
        size = {"api": 2, "apis": 3}.get(parts[0], 99)
        if len(parts) <= size:
            return None
        group_version, rest, namespace = "/".join(parts[1:size]), parts[size:], ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        kind = self.served.find(group_version, rest[0])
        if kind is None:
            return None
        return Place(kind, namespace, *([*rest[1:], "", ""][:2]))

    def _wish(self, call: Call, place: Place | None) -> Wish:
        verbs = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete", "GET": "get"}
        verb = verbs.get(call.method, call.method.lower())
        if place is None:
            return Wish(verb, path=call.path.rstrip("/") or "/")
        if verb == "get" and not place.name:
            verb = "watch" if call.query.get("watch") else "list"
        resource = f"{place.kind.plural}/{place.subresource}" if place.subresource else place.kind.plural
        name = "" if verb in ("list", "create", "watch") and not place.subresource else place.name
        return Wish(verb, place.kind.group, resource, place.namespace, name)

    def _unknown(self, call: Call, what: str = "") -> Reply:
        self.complain(f"the rehearsal's API does not know {what}{call.method} {call.path}")
        return failure(501, "NotImplemented", f"the rehearsal does not know {what}{call.method} {call.path}")
