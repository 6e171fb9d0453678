"""Which steps of nodes were begun inside the maintenance window: these may finish after it, no other may begin then."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cri_switch.model.window import Window

Obj = dict[str, Any]
_SNAPSHOT = re.compile(r"/cri-switch-[^/]+\.db$")
MARK = "cri-switch.io/migrating"
"""The annotation of a node that a migration has begun with; its end is the end of the node's turn."""


@dataclass
class Beginnings:
    """`tell` hears of what is begun outside. A node's steps are its taint, its staging, its turn, and what follows."""

    window: Window | None
    now: Callable[[], datetime]
    tell: Callable[[str], None]
    after_node: bool = False
    """What follows a node's turn belongs to it."""
    _begun: set[tuple[str, str]] = field(default_factory=set)
    _asked: str = ""

    def new_run(self, asked: str) -> None:
        """Nothing is begun yet. `asked` is the node that a person has asked to be taken back, at whatever hour."""
        self._begun.clear()
        self._asked = asked

    def turn(self, name: str, why: str) -> None:
        """Something is done to a node that takes it out, or leads to that."""
        self._step(name, "turn", why)

    def program(self, name: str, argv: tuple[str, ...], *, marked: bool) -> None:
        """A program that changes something on a node, which has the mark or not; a snapshot's file is put away too."""
        step = "snapshot" if of_snapshot(argv) else "turn" if marked else "work"
        self._step(name, step, f"{' '.join(argv)[:120]} runs on it")

    def node(self, old: Obj, new: Obj) -> None:
        """The pipeline changes a node's object: what it takes away is never a beginning."""
        name = new["metadata"]["name"]
        if not _less(old["spec"].get("taints"), new["spec"].get("taints")):
            self._step(name, "taint", "it is tainted")
        if new["spec"].get("unschedulable") and not old["spec"].get("unschedulable"):
            self.turn(name, "it is cordoned")
        if marked(old) and not marked(new):
            self._begun -= {(name, "turn"), (name, "work")}
            self._begun |= {(name, "work")} if self.after_node else set()
            return
        for part in ("labels", "annotations"):
            if not _less(_items(old, part), _items(new, part)):
                self.turn(name, f"its {part} are changed")

    def _step(self, name: str, step: str, why: str) -> None:
        if self.window is None or name == self._asked or (name, step) in self._begun:
            return
        if self.window.contains(self.now()):
            self._begun.add((name, step))
        else:
            self.tell(f"{name} is begun outside the window ({why})")


def of_snapshot(argv: tuple[str, ...]) -> bool:
    """Whether a program takes a snapshot of etcd, fetches it or puts it away: it is the cluster's, not the node's."""
    return "snapshot" in argv or any(_SNAPSHOT.search(word) for word in argv)


def marked(node: Obj | None) -> bool:
    """Whether a migration has begun with a node and not ended."""
    return MARK in (((node or {}).get("metadata") or {}).get("annotations") or {})


def _items(node: Obj, part: str) -> list[tuple[str, str]]:
    return list((node["metadata"].get(part) or {}).items())


def _less(old: list[Any] | None, new: list[Any] | None) -> bool:
    """Whether nothing is in `new` that was not there."""
    return all(each in (old or []) for each in new or [])
