"""How a control plane's API servers stand, as a client finds them behind a balancer that asks each for its /readyz."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

from cri_switch.rehearsal import etcd_members

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine


LISTENS_AFTER, READS_ROLES_AFTER, SERVES_AFTER = 2.0, 3.0, 4.0
"""Seconds since its container was started; on real nodes it is one to three seconds of 403 and 500 (node.md, A)."""


class ApiState(IntEnum):
    """From the worst to the best."""

    AWAY = 0
    """Nothing listens."""
    WITHOUT_ETCD = 1
    """Its own member is stopped, or the members that run are no quorum."""
    FORBIDS = 2
    """It has just started and has not read its roles: everybody but an administrator gets 403."""
    STARTS = 3
    """It has just started: 500."""
    SERVES = 4


def state_of(machine: Machine) -> ApiState:
    """One node's own API server."""
    server = machine.container("kube-apiserver")
    age = machine.now() - server.started if server is not None else 0.0
    if not machine.up or age < LISTENS_AFTER:
        return ApiState.AWAY
    stopped = machine.fs.exists(etcd_members.DATA) and machine.container("etcd") is None
    if stopped or not etcd_members.quorum(machine.world.machines.values()):
        return ApiState.WITHOUT_ETCD
    if age < READS_ROLES_AFTER:
        return ApiState.FORBIDS
    return ApiState.STARTS if age < SERVES_AFTER else ApiState.SERVES


def best(machines: Iterable[Machine]) -> ApiState:
    """The best of all; one that runs on none of these nodes serves."""
    planes = [one for one in machines if one.role == "control-plane"]
    return max((state_of(one) for one in planes), default=ApiState.SERVES)
