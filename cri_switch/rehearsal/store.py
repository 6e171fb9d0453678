"""The simulated cluster's objects as JSON, and everybody who wants to hear of their changes."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

from cri_switch.rehearsal.clock import Clock, timestamp

Obj = dict[str, Any]
Objs = list[Obj]
T = TypeVar("T")
_KEPT = 20_000
"""Events for watches."""


def copied(value: T) -> T:
    """A deep copy of JSON, several times faster than copy.deepcopy, which a cluster of 1,000 nodes feels."""
    whole: Any = value
    if isinstance(value, dict):
        whole = {key: copied(each) for key, each in value.items()}
    elif isinstance(value, list):
        whole = [copied(each) for each in value]
    return cast("T", whole)


class Conflict(Exception):
    """The object changed since it was read, or there is one of that name already."""


class Missing(Exception):
    """There is no such object."""


@dataclass(frozen=True)
class Event:
    """A change; `object` is as it is after it (as it was, for DELETED) and must not be changed, `actor` is whose."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    kind: str
    object: Obj
    actor: str
    version: int
    before: Obj | None = None


class Store:
    """Objects by kind, namespace and name. Every answer is a copy but for `peek`'s; subscribers hear under the lock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.events: list[Event] = []
        self.forgotten = 0
        """The newest version whose event is not kept any more."""
        self._objects: dict[str, dict[tuple[str, str], Obj]] = {}
        self._sorted: dict[str, list[tuple[str, str]]] = {}
        self._versions = itertools.count(100)
        self._version = 99
        self._subscribers: list[Callable[[Event], None]] = []
        self._actor = threading.local()

    @contextmanager
    def acting(self, actor: str) -> Iterator[None]:
        """What this thread changes inside is `actor`'s doing."""
        before = self.actor
        self._actor.name = actor
        try:
            yield
        finally:
            self._actor.name = before

    @property
    def actor(self) -> str:
        """Who acts in this thread."""
        return str(getattr(self._actor, "name", "system"))

    @property
    def version(self) -> int:
        """The newest resourceVersion."""
        return self._version

    def create(self, kind: str, obj: Obj) -> Obj:
        """Add an object. Raises Conflict when there is one of its name."""
        with self.lock:
            fresh = copied(obj)
            metadata = fresh["metadata"]
            while "name" not in metadata:  # a controller of the real one tries again by itself
                name = metadata.get("generateName", "") + uuid.uuid4().hex[:5]
                if (metadata.get("namespace", ""), name) not in self._of(kind):
                    metadata["name"] = name
            key = (metadata.get("namespace", ""), metadata["name"])
            if key in self._of(kind):
                raise Conflict(f'{kind} "{metadata["name"]}" already exists')
            metadata.setdefault("uid", str(uuid.uuid4()))
            metadata.setdefault("creationTimestamp", timestamp(self.clock.now()))
            if "spec" in fresh:
                metadata.setdefault("generation", 1)
            self._of(kind)[key] = fresh
            self._sorted.pop(kind, None)
            self._tell("ADDED", kind, fresh, None)
            return copied(fresh)

    def get(self, kind: str, name: str, namespace: str = "") -> Obj | None:
        """A copy, or None."""
        with self.lock:
            return copied(self._of(kind).get((namespace, name)))

    def list(self, kind: str, namespace: str | None = None) -> Objs:
        """Copies of all, by namespace and name."""
        with self.lock:
            return [copied(found) for found in self.peek(kind, namespace)]

    def peek(self, kind: str, namespace: str | None = None) -> Objs:
        """The objects themselves, to be read under the lock and not to be changed."""
        with self.lock:
            found = self._of(kind)
            order = self._sorted.get(kind)
            if order is None:
                order = self._sorted[kind] = sorted(found)
            return [found[key] for key in order if namespace is None or key[0] == namespace]

    def update(self, kind: str, obj: Obj) -> Obj:
        """Replace an object. Raises Missing, Conflict (its resourceVersion is not the newest)."""
        with self.lock:
            metadata = obj["metadata"]
            key = (metadata.get("namespace", ""), metadata["name"])
            old = self._of(kind).get(key)
            if old is None:
                raise Missing(f'{kind} "{metadata["name"]}" not found')
            wanted = metadata.get("resourceVersion")
            if wanted and wanted != old["metadata"]["resourceVersion"]:
                raise Conflict(metadata["name"])
            fresh = copied(obj)
            fresh["metadata"]["uid"] = old["metadata"]["uid"]
            fresh["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
            if fresh == old:
                return fresh
            if fresh.get("spec") != old.get("spec") and "generation" in old["metadata"]:
                fresh["metadata"]["generation"] = old["metadata"]["generation"] + 1
            self._of(kind)[key] = fresh
            self._tell("MODIFIED", kind, fresh, old)
            return copied(fresh)

    def change(self, kind: str, name: str, namespace: str, fn: Callable[[Obj], Any]) -> Obj:
        """Let `fn` change a copy and store that. Raises Missing."""
        with self.lock:
            found = self.get(kind, name, namespace)
            if found is None:
                raise Missing(f'{kind} "{name}" not found')
            fn(found)
            return self.update(kind, found)

    def delete(self, kind: str, name: str, namespace: str = "", grace: int | None = None) -> Obj:
        """Delete it; a pod on a node only gets its deletionTimestamp and goes by `finalize`. Raises Missing."""
        with self.lock:
            found = self.get(kind, name, namespace)
            if found is None:
                raise Missing(f'{kind} "{name}" not found')
            if kind == "Pod":
                spec = found["spec"]
                seconds = spec.get("terminationGracePeriodSeconds", 30) if grace is None else grace
                old = found["metadata"].get("deletionGracePeriodSeconds")
                if found["metadata"].get("deletionTimestamp") and (old is None or seconds >= old):
                    return found
                ended = (found.get("status") or {}).get("phase") in ("Succeeded", "Failed")
                if seconds > 0 and spec.get("nodeName") and not ended:
                    found["metadata"]["deletionTimestamp"] = timestamp(self.clock.now() + seconds)
                    found["metadata"]["deletionGracePeriodSeconds"] = seconds
                    return self.update(kind, found)
            self.finalize(kind, found)
            return found

    def finalize(self, kind: str, obj: Obj) -> None:
        """Take an object away for good; nothing happens if another has its name by now, or none."""
        with self.lock:
            metadata = obj["metadata"]
            key = (metadata.get("namespace", ""), metadata["name"])
            found = self._of(kind).get(key)
            if found is None or found["metadata"]["uid"] != metadata.get("uid", found["metadata"]["uid"]):
                return
            del self._of(kind)[key]
            self._sorted.pop(kind, None)
            self._tell("DELETED", kind, copied(found), found)

    def forget(self, number: int) -> None:
        """The oldest events, as etcd's compaction does: no watch can begin with them."""
        with self.lock:
            self.forgotten = self.events[number - 1].version
            del self.events[:number]

    def subscribe(self, fn: Callable[[Event], None]) -> None:
        """Call `fn` with every change, under the lock."""
        self._subscribers.append(fn)

    def _of(self, kind: str) -> dict[tuple[str, str], Obj]:
        return self._objects.setdefault(kind, {})

    def _tell(self, what: Literal["ADDED", "MODIFIED", "DELETED"], kind: str, obj: Obj, before: Obj | None) -> None:
        self._version = next(self._versions)
        obj["metadata"]["resourceVersion"] = str(self._version)
        event = Event(what, kind, obj, self.actor, self._version, before)
        self.events.append(event)
        if len(self.events) > _KEPT:
            self.forget(_KEPT // 2)
        for fn in self._subscribers:
            fn(event)
        self.changed.notify_all()
