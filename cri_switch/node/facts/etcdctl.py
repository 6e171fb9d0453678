"""etcd's members, their health and alarms, by the etcdctl in etcd's own container.

`into` are the words that run a program in that container (etcd_exec).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.etcd import EtcdPod

_LIMITS = ("--dial-timeout=3s", "--command-timeout=10s")


@dataclass(frozen=True)
class EtcdMember:
    """A member as it answers itself; `errors` are its words, an alarm among them; `db_size` is in bytes."""

    endpoint: str
    db_size: int
    errors: tuple[str, ...] = ()
    learner: bool = False
    id: int = 0


@dataclass(frozen=True)
class EtcdStatus:
    """Members that answered; `problem` is what etcdctl said of the others, or of all."""

    members: tuple[EtcdMember, ...]
    problem: str = ""


def etcd_status(into: tuple[str, ...], pod: EtcdPod) -> Fact[EtcdStatus]:
    """`endpoint status --cluster`: each member that answers, for itself."""

    def parse(result: Result) -> EtcdStatus:
        try:
            raw = json.loads(result.stdout or "null") or []
        except json.JSONDecodeError:
            return EtcdStatus((), (result.stderr or result.stdout).strip()[-500:])
        members = tuple(
            EtcdMember(
                each["Endpoint"],
                int(each["Status"].get("dbSize") or 0),
                tuple(each["Status"].get("errors") or ()),
                bool(each["Status"].get("isLearner")),
                int((each["Status"].get("header") or {}).get("member_id") or 0),
            )
            for each in raw
        )
        return EtcdStatus(members, result.stderr.strip()[-500:] if result.rc else "")

    words = (*into, "etcdctl", *_LIMITS, *pod.credentials)
    command = sudo(*words, "endpoint", "status", "--cluster", "-w", "json", ok=range(256), timeout=60)
    return Fact("etcd's members' status", command, parse)


def etcd_members(into: tuple[str, ...], pod: EtcdPod) -> Fact[dict[int, str]]:
    """The names of all members by id, also of those that do not answer; none where etcd does not say.

    kubeadm names a member as its node; one that has not started yet has no name.
    """

    def parse(result: Result) -> dict[int, str]:
        try:
            found = json.loads(result.stdout).get("members") or []
            return {int(each["ID"]): str(each.get("name") or "") for each in found}
        except (ValueError, AttributeError, KeyError, TypeError):
            return {}

    words = (*into, "etcdctl", *_LIMITS, *pod.credentials)
    command = sudo(*words, "member", "list", "-w", "json", ok=range(256), timeout=60)
    return Fact("etcd's members", command, parse)
