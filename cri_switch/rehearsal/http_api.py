"""The API server of a rehearsal: requests to answers; behind HTTP by http_server."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cri_switch.rehearsal import api_paths, eviction
from cri_switch.rehearsal.api_kinds import Served
from cri_switch.rehearsal.api_patch import Unprocessable, patched
from cri_switch.rehearsal.api_reply import Call, Place, Reply, conflict, failure, not_found
from cri_switch.rehearsal.api_rights import Rights, Wish, refusal
from cri_switch.rehearsal.api_select import BadSelector, matches
from cri_switch.rehearsal.api_state import ApiState
from cri_switch.rehearsal.api_unready import unready
from cri_switch.rehearsal.clock import timestamp
from cri_switch.rehearsal.store import Conflict, Missing, Store

Obj = dict[str, Any]


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
        self._pages: dict[str, list[Obj]] = {}

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
        state = self.state()
        known = state is not ApiState.FORBIDS or user in self.rights.admins
        if not (known and self.rights.allowed(user, wish)):
            details = {"name": wish.name, "group": wish.group, "kind": wish.resource}
            return failure(403, "Forbidden", refusal(user, wish), details)
        early = unready(state, call, place)
        if early is not None:
            return replace(early, after=early.after / self.store.clock.scale)
        with self.store.lock, self.store.acting(f"api:{user}"):
            return self._judged(call, place, user) if place is not None else found or self._unknown(call)

    def _judged(self, call: Call, place: Place, user: str) -> Reply:
        """What a resource answers; what it raises becomes a Status."""
        try:
            return self._resource(call, place, user)
        except Missing:
            return not_found(place)
        except Conflict as problem:
            return conflict(place, problem)
        except Unprocessable as problem:
            return failure(422, "Invalid", str(problem))
        except BadSelector as problem:
            return failure(400, "BadRequest", str(problem))

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

    def _unknown(self, call: Call) -> Reply:
        self.complain(f"the rehearsal's API does not know {call.method} {call.path}")
        return failure(501, "NotImplemented", f"the rehearsal does not know {call.method} {call.path}")

    def _resource(self, call: Call, place: Place, user: str) -> Reply:
        if place.kind.kind == "SelfSubjectAccessReview" and call.method == "POST":
            return self._review(call, user)
        if place.subresource == "eviction" and call.method == "POST":
            return self._evict(call, place)
        ways = {
            ("GET", False): self._list,
            ("GET", True): self._get,
            ("POST", False): self._create,
            ("PATCH", True): self._change,
            ("PUT", True): self._change,
            ("DELETE", True): self._delete,
        }
        way = ways.get((call.method, bool(place.name)))
        return self._unknown(call) if way is None or place.subresource not in ("", "status") else way(call, place)

    def _get(self, _call: Call, place: Place) -> Reply:
        return Reply(200, self._shown(place, self._found(place)))

    def _found(self, place: Place) -> Obj:
        found = self.store.get(place.kind.kind, place.name, place.namespace)
        if found is None:
            raise Missing(place.name)
        return found

    def _shown(self, place: Place, obj: Obj) -> Obj:
        return {**obj, "apiVersion": place.kind.group_version, "kind": place.kind.kind}

    def _list(self, call: Call, place: Place) -> Reply:
        token = call.query.get("continue", "")
        version = str(self.store.version)
        if token:
            snapshot, _, at = token.partition(":")
            if snapshot not in self._pages:
                return failure(410, "Expired", "The provided continue parameter is too old")
            version, found, start = snapshot, self._pages[snapshot], int(at)
        else:
            labels, fields = call.query.get("labelSelector", ""), call.query.get("fieldSelector", "")
            namespace = place.namespace or None
            found = [o for o in self.store.peek(place.kind.kind, namespace) if matches(o, labels, fields)]
            start = 0
        limit = int(call.query.get("limit") or 0) or len(found) or 1
        metadata = {"resourceVersion": version}
        if start + limit < len(found):
            self._pages[version] = found
            metadata["continue"] = f"{version}:{start + limit}"
        items = [{k: v for k, v in o.items() if k not in ("kind", "apiVersion")} for o in found[start : start + limit]]
        head = {"kind": f"{place.kind.kind}List", "apiVersion": place.kind.group_version}
        return Reply(200, {**head, "metadata": metadata, "items": items})

    def _create(self, call: Call, place: Place) -> Reply:
        body = copy.deepcopy(call.body)
        if body.get("kind") != place.kind.kind or body.get("apiVersion") != place.kind.group_version:
            return failure(400, "BadRequest", f"{body.get('apiVersion')}, Kind={body.get('kind')} is not expected here")
        if place.kind.namespaced:
            body["metadata"]["namespace"] = place.namespace
            if self.store.get("Namespace", place.namespace) is None:
                return failure(404, "NotFound", f'namespaces "{place.namespace}" not found')
        if place.kind.kind == "Pod":
            body.setdefault("status", {"phase": "Pending"})
            body["spec"].setdefault("terminationGracePeriodSeconds", 30)
        if call.dry_run:
            body["metadata"].setdefault("creationTimestamp", timestamp(self.store.clock.now()))
            return Reply(201, self._shown(place, body))
        return Reply(201, self._shown(place, self.store.create(place.kind.kind, body)))

    def _change(self, call: Call, place: Place) -> Reply:
        old = self._found(place)
        new = call.body if call.method == "PUT" else patched(old, call.body, call.content_type)
        if place.subresource == "status":
            new = {**old, "status": new.get("status"), "metadata": new["metadata"]}
        wanted = new["metadata"].get("resourceVersion")
        if wanted and wanted != old["metadata"]["resourceVersion"]:
            raise Conflict("changed")
        if (new["metadata"]["name"], new["metadata"].get("uid", old["metadata"]["uid"])) != (
            place.name,
            old["metadata"]["uid"],
        ):
            return failure(409, "Conflict", "Precondition failed: UID in precondition differs from the stored one")
        if call.dry_run:
            return Reply(200, self._shown(place, new))
        return Reply(200, self._shown(place, self.store.update(place.kind.kind, new)))

    def _delete(self, call: Call, place: Place) -> Reply:
        options = call.body or {}
        found = self._found(place)
        uid, mine = (options.get("preconditions") or {}).get("uid"), found["metadata"]["uid"]
        if uid and uid != mine:
            words = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {mine}"
            return failure(409, "Conflict", words)
        if not call.dry_run:
            found = self.store.delete(place.kind.kind, place.name, place.namespace, options.get("gracePeriodSeconds"))
        return Reply(200, self._shown(place, found))

    def _evict(self, call: Call, place: Place) -> Reply:
        version = "policy/v1" if self.served.minor >= 22 else "policy/v1beta1"
        asked = call.body.get("apiVersion")
        if call.body.get("kind") != "Eviction" or asked not in ("policy/v1beta1", version):
            return failure(
                400, "BadRequest", f"{asked}, Kind={call.body.get('kind')} is not an Eviction of this server"
            )
        options = call.body.get("deleteOptions") or {}
        try:
            eviction.evict(self.store, place.namespace, place.name, options, api_version=version, dry_run=call.dry_run)
        except eviction.Refused as problem:
            causes = [{"reason": "DisruptionBudget", "message": problem.cause}] if problem.cause else []
            reason = "TooManyRequests" if problem.status == 429 else "InternalError"
            return failure(problem.status, reason, str(problem), {"causes": causes})
        return Reply(201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})

    def _review(self, call: Call, user: str) -> Reply:
        spec = call.body["spec"]
        if asked := spec.get("resourceAttributes"):
            sub = asked.get("subresource")
            resource = f"{asked['resource']}/{sub}" if sub else asked["resource"]
            wish = Wish(
                asked["verb"], asked.get("group", ""), resource, asked.get("namespace", ""), asked.get("name", "")
            )
        else:
            wish = Wish(spec["nonResourceAttributes"]["verb"], path=spec["nonResourceAttributes"]["path"])
        return Reply(201, {**call.body, "status": {"allowed": self.rights.allowed(user, wish)}})
