"""The control plane: etcd's quorum, health and alarms, room for its snapshot, certificates that end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cri_switch.checks.room import gigabytes
from cri_switch.model.finding import Finding
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.quorum import lost_quorum

Say = Callable[[str, str, str, str], Finding]
_MONTH = 30 * 86400.0


@dataclass(frozen=True)
class ControlPlaneState:
    """What was read off a control-plane node; sizes in bytes, times in seconds since the epoch.

    `local_etcd` says that etcd's manifest is there. `members` is how many etcd has, `learners` those that do not vote,
    `answered` how many of them answered (None: they were not asked), `missing` the names of the others and `problem`
    what etcdctl said of them, `alarms` what they said of themselves. `etcd_free` and `backup_free` are the room where
    the snapshot is made and where it is kept. `certificates` are (file, subject, end).
    """

    node: str
    now: float
    local_etcd: bool = True
    members: int = 0
    learners: int = 0
    answered: int | None = None
    missing: tuple[str, ...] = ()
    problem: str = ""
    alarms: tuple[str, ...] = ()
    db_size: int = 0
    etcd_free: int | None = None
    backup_free: int | None = None
    certificates: tuple[tuple[str, str, float], ...] = ()


def check_control_plane(
    state: ControlPlaneState, *, backup: bool = True, half_done: Collection[str] = ()
) -> list[Finding]:
    """All findings of one control-plane node; `backup` says that a snapshot is to be taken.

    `half_done` are nodes that this run brings back first: that their members are out is why it is needed.
    """

    def say(level: str, name: str, summary: str, remedy: str) -> Finding:
        chosen: Literal["error", "warning"] = "error" if level == "error" else "warning"
        return Finding(chosen, name, f"{state.node}: {summary}", node=state.node, remedy=remedy)

    return [*_etcd(state, say, backup=backup, half_done=half_done), *_certificates(state, say)]


def check_outage(nodes: Sequence[NodeRef], todo: Sequence[NodeRef]) -> list[Finding]:
    """A warning where the only control-plane node is to be switched: the API is away meanwhile."""
    planes = [node for node in nodes if node.role == "control-plane"]
    if len(planes) != 1 or planes[0] not in todo:
        return []
    name = planes[0].name
    return [
        Finding(
            "warning",
            "SingleControlPlane",
            f"{name} is the only control-plane node: the API does not answer while it is switched, one to two minutes;"
            " running pods go on, but nothing is scheduled, scaled or made anew",
            node=name,
            object=f"Node/{name}",
            remedy="choose an hour when nobody deploys",
        )
    ]


def _etcd(state: ControlPlaneState, say: Say, *, backup: bool, half_done: Collection[str]) -> Iterator[Finding]:
    if not state.local_etcd:
        if backup:
            yield say(
                "error",
                "EtcdNotLocal",
                "etcd does not run here as kubeadm's static pod, so no snapshot of it can be taken",
                "take the snapshot where etcd runs, and set spec.backup.skip: true",
            )
        return
    if state.answered is not None and (state.answered < state.members or not state.answered):
        ours = bool(state.missing) and set(state.missing) <= set(half_done)
        yield say(
            "warning" if ours else "error",
            "EtcdUnhealthy",
            f"{state.answered} of {state.members or '?'} members of etcd answer"
            + (f", not that of {', '.join(state.missing)}, which goes first" if ours else "")
            + (f": {state.problem.splitlines()[-1][:300]}" if state.problem else ""),
            "none: an earlier run left it half done, and this one brings it back before any other node"
            if ours
            else "bring etcd to health first: with a member out, the next one that is switched may cost the quorum",
        )
    for alarm in sorted(set(state.alarms)):
        yield say(
            "error", "EtcdAlarm", f"etcd says: {alarm}", "etcdctl alarm list; for NOSPACE compact, defrag and disarm"
        )
    voters = state.members - state.learners
    if state.answered == state.members and (lost := lost_quorum(voters, voters - 1)):
        yield say(
            "error",
            "EtcdQuorum",
            f"with this node out {lost}: no control-plane node would be started",
            "add a third control-plane node, or leave the control plane out: spec.nodes.role: worker",
        )
    if not backup:
        return
    for where, free in (("etcd's data directory", state.etcd_free), ("spec.backup.directory", state.backup_free)):
        if free is not None and free < state.db_size:
            yield say(
                "error",
                "SnapshotSpace",
                f"an etcd snapshot takes {gigabytes(state.db_size)}, and {where} has {gigabytes(free)} free",
                "make room there",
            )


def _certificates(state: ControlPlaneState, say: Say) -> Iterator[Finding]:
    for path, subject, end in sorted(state.certificates):
        left = end - state.now
        if left >= _MONTH:
            continue
        day = dt.datetime.fromtimestamp(end, dt.UTC).strftime("%Y-%m-%d")
        renew = "kubeadm certs renew all, then restart the static pods"
        if left <= 0:
            yield say("error", "CertificateExpired", f"{path} ({subject}) expired on {day}", renew)
        else:
            yield say("warning", "CertificateExpires", f"{path} ({subject}) expires on {day}", renew)
