"""What the resources of the simulated API answer: read, made, changed, deleted, evicted."""

from __future__ import annotations

import copy
from typing import Any

from cri_switch.rehearsal import eviction
from cri_switch.rehearsal.api_kinds import Served
from cri_switch.rehearsal.api_list import Lists
from cri_switch.rehearsal.api_patch import Unprocessable, patched
from cri_switch.rehearsal.api_reply import Call, Place, Reply, conflict, failure, not_found
from cri_switch.rehearsal.api_rights import Rights, Wish
from cri_switch.rehearsal.api_select import BadSelector
from cri_switch.rehearsal.clock import timestamp
from cri_switch.rehearsal.store import Conflict, Missing, Store

Obj = dict[str, Any]


class Resources:
    """Those of one store; who asks has been let in already."""

    def __init__(self, store: Store, served: Served, rights: Rights) -> None:
        self._store, self._served, self._rights = store, served, rights
        self._lists = Lists(store)

    def answer(self, call: Call, place: Place, user: str) -> Reply | None:
        """What a resource answers, None for a use that is not known; what it raises becomes a Status."""
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

    def _resource(self, call: Call, place: Place, user: str) -> Reply | None:
        if place.kind.kind == "SelfSubjectAccessReview" and call.method == "POST":
            return self._review(call, user)
        if place.subresource == "eviction" and call.method == "POST":
            return self._evict(call, place)
        ways = {
            ("GET", False): self._lists.answer,
            ("GET", True): self._get,
            ("POST", False): self._create,
            ("PATCH", True): self._change,
            ("PUT", True): self._change,
            ("DELETE", True): self._delete,
        }
        way = ways.get((call.method, bool(place.name)))
        return None if way is None or place.subresource not in ("", "status") else way(call, place)

    def _get(self, _call: Call, place: Place) -> Reply:
        return Reply(200, self._shown(place, self._found(place)))

    def _found(self, place: Place) -> Obj:
        found = self._store.get(place.kind.kind, place.name, place.namespace)
        if found is None:
            raise Missing(place.name)
        return found

    def _shown(self, place: Place, obj: Obj) -> Obj:
        return {**obj, "apiVersion": place.kind.group_version, "kind": place.kind.kind}

    def _create(self, call: Call, place: Place) -> Reply:
        body = copy.deepcopy(call.body)
        if body.get("kind") != place.kind.kind or body.get("apiVersion") != place.kind.group_version:
            return failure(400, "BadRequest", f"{body.get('apiVersion')}, Kind={body.get('kind')} is not expected here")
        if place.kind.namespaced:
            body["metadata"]["namespace"] = place.namespace
            if self._store.get("Namespace", place.namespace) is None:
                return failure(404, "NotFound", f'namespaces "{place.namespace}" not found')
        if place.kind.kind == "Pod":
            body.setdefault("status", {"phase": "Pending"})
            body["spec"].setdefault("terminationGracePeriodSeconds", 30)
        if call.dry_run:
            body["metadata"].setdefault("creationTimestamp", timestamp(self._store.clock.now()))
            return Reply(201, self._shown(place, body))
        return Reply(201, self._shown(place, self._store.create(place.kind.kind, body)))

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
        return Reply(200, self._shown(place, self._store.update(place.kind.kind, new)))

    def _delete(self, call: Call, place: Place) -> Reply:
        options = call.body or {}
        found = self._found(place)
        uid, mine = (options.get("preconditions") or {}).get("uid"), found["metadata"]["uid"]
        if uid and uid != mine:
            words = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {mine}"
            return failure(409, "Conflict", words)
        if not call.dry_run:
            found = self._store.delete(place.kind.kind, place.name, place.namespace, options.get("gracePeriodSeconds"))
        return Reply(200, self._shown(place, found))

    def _evict(self, call: Call, place: Place) -> Reply:
        version = "policy/v1" if self._served.minor >= 22 else "policy/v1beta1"
        asked = call.body.get("apiVersion")
        if call.body.get("kind") != "Eviction" or asked not in ("policy/v1beta1", version):
            return failure(
                400, "BadRequest", f"{asked}, Kind={call.body.get('kind')} is not an Eviction of this server"
            )
        options = call.body.get("deleteOptions") or {}
        try:
            eviction.evict(self._store, place.namespace, place.name, options, api_version=version, dry_run=call.dry_run)
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
        return Reply(201, {**call.body, "status": {"allowed": self._rights.allowed(user, wish)}})
