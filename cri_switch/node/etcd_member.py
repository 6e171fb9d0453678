"""A control-plane node as it is asked itself: its API server, its etcd member, and whom that one follows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from cri_switch.model.errors import BackupFailed, CriSwitchError, RemoteCommandFailed
from cri_switch.model.quorum import lost_quorum
from cri_switch.node.command import Command, Result, sudo
from cri_switch.node.connection import Connection
from cri_switch.node.etcd_snapshot import etcd_exec
from cri_switch.node.facts.control_plane import API_MANIFEST, api_address, parse_manifest, readyz
from cri_switch.node.facts.etcd import MANIFEST, parse_etcd_manifest
from cri_switch.node.facts.etcdctl import etcd_status
from cri_switch.node.files import file_fact

_LIMITS = ("--dial-timeout=3s", "--command-timeout=10s")


@dataclass(frozen=True)
class ControlPlaneNode:
    """What one node says. `problems` is empty where all is well; `voters` are all members' ids by the member's list.

    Without a local etcd (`member` is 0 and no problem) there is nothing to lose on this node. `etcd_stopped` says that
    the node answers, and that neither runtime runs its etcd.
    """

    node: str
    member: int = 0
    leader: int = 0
    voters: frozenset[int] = frozenset()
    problems: tuple[str, ...] = field(default=())
    etcd_stopped: bool = False

    @property
    def leads(self) -> bool:
        """Whether this node's member is etcd's leader."""
        return bool(self.member) and self.member == self.leader


def ask_control_plane(connection: Connection) -> ControlPlaneNode:
    """Ask a node over ssh; that it does not answer is a problem, not an exception."""
    node = connection.node
    try:
        problems = _api(connection)
        text = file_fact(MANIFEST).read(connection).text
        if text is None:
            return ControlPlaneNode(node, problems=problems)
        try:
            into = etcd_exec(connection)
        except (BackupFailed, RemoteCommandFailed) as problem:  # no container; no crictl, or nothing behind it
            return ControlPlaneNode(node, problems=(*problems, f"{node}: {problem.what}"), etcd_stopped=True)
        words = (*into, "etcdctl", *_LIMITS, *parse_etcd_manifest(text).credentials)
        ill = _health(connection.run(_ask(words, "endpoint", "health")))
        if ill:
            return ControlPlaneNode(node, problems=(*problems, f"etcd on {node}: {ill}"))
        member, leader, errors = parse_endpoint(connection.run(_ask(words, "endpoint", "status", "-w", "json")).stdout)
        voters = parse_voters(connection.run(_ask(words, "member", "list", "-w", "json")).stdout)
    except CriSwitchError as problem:
        return ControlPlaneNode(node, problems=(f"{node}: {problem.what}",))
    except (ValueError, KeyError, TypeError, IndexError) as problem:
        return ControlPlaneNode(node, problems=(f"etcd on {node}: an answer that is not understood: {problem!r}",))
    problems += tuple(f"etcd on {node} says: {error}" for error in errors)
    return ControlPlaneNode(node, member, leader, voters, problems)


def lost_without(connection: Connection) -> str:
    """Why etcd would lose its quorum with this node's member, or ""; the member is asked, which asks all others.

    "" too where no member runs or answers here, and where there is no quorum: then there is nothing to lose.
    """
    text = file_fact(MANIFEST).read(connection).text
    if text is None:
        return ""
    try:
        pod, into = parse_etcd_manifest(text), etcd_exec(connection)
        answer = connection.run(_ask((*into, "etcdctl", *_LIMITS, *pod.credentials), "member", "list", "-w", "json"))
        here, voters = int(json.loads(answer.stdout)["header"]["member_id"]), parse_voters(answer.stdout)
    except (BackupFailed, RemoteCommandFailed, ValueError, KeyError, TypeError):
        return ""
    up = {each.id for each in etcd_status(into, pod).read(connection).members} & voters
    return "" if lost_quorum(len(voters), len(up)) else lost_quorum(len(voters), len(up - {here}))


def parse_endpoint(text: str) -> tuple[int, int, tuple[str, ...]]:
    """`endpoint status -w json`: the member's id, its leader's, and its alarms. Raises ValueError, KeyError."""
    (found,) = json.loads(text)
    status = found["Status"]
    return int(status["header"]["member_id"]), int(status.get("leader") or 0), tuple(status.get("errors") or ())


def parse_voters(text: str) -> frozenset[int]:
    """`member list -w json`: ids of the members that vote. Raises ValueError, KeyError."""
    return frozenset(int(m["ID"]) for m in json.loads(text)["members"] if not m.get("isLearner"))


def _ask(words: tuple[str, ...], *what: str) -> Command:
    return sudo(*words, *what, ok=range(256), timeout=30)


def _health(answer: Result) -> str:
    said = (answer.stdout + answer.stderr).strip()
    return "" if answer.rc == 0 and "is healthy" in said else said[-300:] or f"exit code {answer.rc}"


def _api(connection: Connection) -> tuple[str, ...]:
    manifest = parse_manifest(API_MANIFEST, file_fact(API_MANIFEST).read(connection).text)
    if manifest is None:
        return (f"{connection.node}: {API_MANIFEST} does not exist",)
    code = readyz(api_address(manifest)).read(connection)
    return () if code == 200 else (f"the API server on {connection.node} answers {code or 'nothing'} at /readyz",)
