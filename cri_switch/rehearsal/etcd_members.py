"""etcd's members, one in a static pod of each stacked control plane: which of them run, and whether that is enough."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

DATA = "/var/lib/etcd/member"


def members(machines: Iterable[Machine]) -> list[Machine]:
    """The nodes that have a member's data; one whose pod is stopped stays a member."""
    return [one for one in machines if one.role == "control-plane" and one.fs.exists(DATA)]


def running(machines: Iterable[Machine]) -> list[Machine]:
    """The members that answer."""
    return [one for one in members(machines) if one.up and one.container("etcd") is not None]


def quorum(machines: Iterable[Machine]) -> bool:
    """Whether more than half of the members run; an etcd that is not on these nodes always has one."""
    every = members(machines)
    return not every or len(running(every)) > len(every) // 2
