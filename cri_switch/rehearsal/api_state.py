"""How a control plane's API servers stand, as a client finds them behind a balancer that asks each for its /readyz."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

from cri_switch.rehearsal import etcd_members

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine


class ApiState(IntEnum):
    """From the worst to the best."""

    AWAY = 0
    """Nothing listens."""
    WITHOUT_ETCD = 1
    """Its own member is stopped, or the members that run are no quorum."""
    SERVES = 2


def state_of(machine: Machine) -> ApiState:
    """One node's own API server."""
    if not machine.up or machine.container("kube-apiserver") is None:
        return ApiState.AWAY
    stopped = machine.fs.exists(etcd_members.DATA) and machine.container("etcd") is None
    if stopped or not etcd_members.quorum(machine.world.machines.values()):
        return ApiState.WITHOUT_ETCD
    return ApiState.SERVES


def best(machines: Iterable[Machine]) -> ApiState:
    """The best of all; one that runs on none of these nodes serves."""
    planes = [one for one in machines if one.role == "control-plane"]
    return max((state_of(one) for one in planes), default=ApiState.SERVES)
