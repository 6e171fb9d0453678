"""What must hold at every moment of a migration (DESIGN.md rule 4), judged by what the API itself recorded.

Pure. Versions are etcd's revisions, one counter for all kinds, so changes of nodes, pods and budgets have one order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cri_switch.model.label_selector import selects

Obj = dict[str, Any]
_OURS = ("cri-switch", "node.kubernetes.io/")  # taints that come and go: ours, and those that Kubernetes itself keeps
_WAITS = ("cri-switch.io/waiting=", ":PreferNoSchedule")
_PROBES = "cri-switch"  # the namespace of the proof's own pods


@dataclass(frozen=True)
class Promise:
    """What the settings promise. `left_alone` are nodes that no step may touch; `behind` of the workers may have failed
    when the control plane begins."""

    max_unavailable: int = 1
    left_alone: frozenset[str] = frozenset()
    behind: int = 0
    target: str = "containerd://"


@dataclass
class Turn:
    """A node's time out of service, by the API's word; `ended` is empty while it is out."""

    node: str
    begun: str
    ended: str = ""


@dataclass
class Verdict:
    """`broken` has a line for each breach; the rest says what was seen, so that silence is no proof."""

    broken: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    switched: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    most_out: int = 0
    waited: set[str] = field(default_factory=set)
    """Nodes that were seen with the taint of those that wait, while another one was taken out."""


def judge(lines: Iterable[Obj], promise: Promise = Promise()) -> Verdict:
    """All changes of a recording, in the order in which they happened."""
    judge_ = _Judge(promise)
    for line in sorted(lines, key=lambda each: int(each["version"])):  # stable: a kind's own order stays
        if line["kind"] != "Lease":
            judge_.see(line)
    return judge_.verdict


class _Judge:
    def __init__(self, promise: Promise) -> None:
        self.promise, self.verdict = promise, Verdict()
        self.nodes: dict[str, Obj] = {}
        self.pods: dict[str, Obj] = {}
        self.budgets: dict[tuple[str, str], Obj] = {}
        self.held: set[str] = set()
        self.taints: dict[str, list[str]] = {}
        self.out: dict[str, Turn] = {}
        self.now = ""

    def see(self, line: Obj) -> None:
        self.now = line["time"]
        kind = line["kind"]
        if line["type"] == "LIST":
            there = {each.get("uid") for each in line["objects"]}
            if kind == "Pod":
                for uid in [uid for uid in self.pods if uid not in there]:
                    self._pod(self.pods[uid], deleted=True)
            for each in line["objects"]:
                self._one(kind, each, deleted=False)
            return
        self._one(kind, line["object"], deleted=line["type"] == "DELETED")

    def _one(self, kind: str, found: Obj, *, deleted: bool) -> None:
        if kind == "Node" and deleted:
            self._break(f"node {found['name']} is deleted")
        elif kind == "Node":
            self._node(found)
        elif kind == "Pod":
            self._pod(found, deleted=deleted)
        elif deleted:
            self.budgets.pop((found["namespace"], found["name"]), None)
        else:
            self.budgets[found["namespace"], found["name"]] = found

    def _node(self, new: Obj) -> None:
        name = new["name"]
        old = self.nodes.get(name)
        self.nodes[name] = new
        own = [taint for taint in new["taints"] if not taint.startswith(_OURS)]
        if old is None:
            self.taints[name] = own
            if new["unschedulable"] and (new["begun"] or new["ours"]):
                self._begin(name, "was begun by a run before")
            elif new["unschedulable"]:
                self.held.add(name)
            return
        if own != self.taints[name]:
            self._break(f"{name} had the taints {self.taints[name]}, and has {own}")
        if new["unschedulable"] and not old["unschedulable"]:
            self._begin(name, "is cordoned")
        if name in self.held and new["begun"] and not old["begun"]:
            self._begin(name, "is begun")  # nothing else of it shows that early: it is cordoned already
        if new["runtime"] != old["runtime"]:
            self._switched(new, old)
        if old["unschedulable"] and not new["unschedulable"]:
            if name in self.held:
                self._break(f"{name} was cordoned by an administrator, and is uncordoned")
            if not new["ready"]:
                self._break(f"{name} is uncordoned while it is not Ready")
            self._end(name)
        elif name in self.held and new["ready"] and new["runtime"].startswith(self.promise.target):
            self._end(name)  # it stays cordoned: its return shows by its kubelet

    def _switched(self, new: Obj, old: Obj) -> None:
        name = new["name"]
        self.verdict.switched.append(name)
        if not old["unschedulable"]:
            self._break(f"{name} changes from {old['runtime']} to {new['runtime']} while pods may be put on it")
        if name not in self.out:
            self._begin(name, f"changes to {new['runtime']}")  # an administrator's: nothing was there to drain
        left = [_title(pod) for pod in self.pods.values() if pod["node"] == name and _drainable(pod)]
        if left:
            self._break(f"{name} changes to {new['runtime']} with {', '.join(sorted(left))} on it")

    def _pod(self, new: Obj, *, deleted: bool) -> None:
        old = self.pods.pop(new["uid"], None)
        if not deleted:
            self.pods[new["uid"]] = new
        begins = (new["going"] or deleted) and old is not None and not old["going"]
        if old is None or not begins or not _drainable(old) or not old["node"]:
            return
        name, title = old["node"], _title(old)
        self.verdict.taken.append(title)
        node = self.nodes.get(name)
        if node is not None and not node["unschedulable"]:
            self._break(f"pod {title} is taken off {name}, which is not cordoned")
        self._begin(name, f"loses pod {title}")
        self._budgets(old, title)

    def _budgets(self, pod: Obj, title: str) -> None:
        if not pod["ready"]:
            return
        for budget in self.budgets.values():
            if budget["namespace"] != pod["namespace"] or not _selects(budget, pod):
                continue
            healthy = sum(
                1
                for each in self.pods.values()
                if each["namespace"] == pod["namespace"]
                and each["ready"]
                and not each["going"]
                and each["uid"] != pod["uid"]
                and _selects(budget, each)
            )
            if healthy < budget["desired"]:
                self._break(
                    f"pod {title} is taken away against PodDisruptionBudget {budget['name']}:"
                    f" {healthy} stay healthy, {budget['desired']} must"
                )

    def _begin(self, name: str, why: str) -> None:
        if name in self.promise.left_alone:
            self._break(f"{name} is to be left alone, and {why}")
        if name in self.out or name not in self.nodes:
            return
        self.out[name] = Turn(name, self.now)
        self.verdict.turns.append(self.out[name])
        self.verdict.waited |= {each for each, node in self.nodes.items() if each not in self.out and _waits(node)}
        planes = sorted(each for each in self.out if self.nodes[each]["control_plane"])
        workers = sorted(each for each in self.out if not self.nodes[each]["control_plane"])
        self.verdict.most_out = max(self.verdict.most_out, len(workers))
        down = sorted(each for each, node in self.nodes.items() if not node["ready"] and each not in self.out)
        if len(planes) > 1:
            self._break(f"{name} {why} while {', '.join(each for each in planes if each != name)} is out")
        if not self.nodes[name]["control_plane"]:
            if len(workers) > self.promise.max_unavailable:
                self._break(f"{len(workers)} workers are out ({', '.join(workers)})")
        else:
            if any(self.nodes[each]["control_plane"] for each in down):
                self._break(f"control-plane node {name} {why} while {', '.join(down)} is not Ready")
            self._workers_first(name, why)

    def _workers_first(self, name: str, why: str) -> None:
        behind = sorted(
            each
            for each, node in self.nodes.items()
            if not node["control_plane"]
            and each not in self.promise.left_alone
            and (each in self.out or not node["runtime"].startswith(self.promise.target))
        )
        if len(behind) > self.promise.behind:
            self._break(f"control-plane node {name} {why} before {', '.join(behind)}")

    def _end(self, name: str) -> None:
        turn = self.out.pop(name, None)
        if turn is not None:
            turn.ended = self.now

    def _break(self, text: str) -> None:
        if text not in self.verdict.broken:
            self.verdict.broken.append(text)


def _drainable(pod: Obj) -> bool:
    """Whether a drain would take it: not the kubelet's own, not a DaemonSet's, not finished, not the proof's."""
    apart = pod["mirror"] or pod["owner"] == "DaemonSet" or pod["namespace"] == _PROBES
    return not apart and pod["phase"] not in ("Succeeded", "Failed")


def _waits(node: Obj) -> bool:
    return any(taint.startswith(_WAITS[0]) and taint.endswith(_WAITS[1]) for taint in node["taints"])


def _selects(budget: Obj, pod: Obj) -> bool:
    return budget["selector"] is not None and selects(budget["selector"], pod["labels"])


def _title(pod: Obj) -> str:
    return f"{pod['namespace']}/{pod['name']}"
