"""Each invariant is seen to be broken by what breaks it, and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.invariants import Promise, Verdict, judge

Obj = dict[str, Any]
DOCKER, CONTAINERD = "docker://20.10.5", "containerd://1.4.13"
CORDON, UNCORDON, SWITCH = {"unschedulable": True}, {"unschedulable": False}, {"runtime": CONTAINERD}
WAITS = ["cri-switch.io/waiting=m:PreferNoSchedule"]
THROUGH = (CORDON, SWITCH, UNCORDON)


class Story:
    """A recording as it is told: two control planes, three workers, one held by an administrator, seven pods."""

    def __init__(self, held: str = "w3") -> None:
        self.lines: list[Obj] = []
        self.nodes = {name: node(name) for name in ("cp1", "cp2", "w1", "w2", "w3")}
        self.nodes[held]["unschedulable"] = True
        self.pods = {name: pod(name, where) for name, where in (("a", "w1"), ("b", "w2"), ("c", "w2"), ("d", "w3"))}
        self.pods["agent"] = pod("agent", "w1", owner="DaemonSet", labels={"app": "agent"})
        self.pods["done"] = pod("done", "w1", owner="Job", phase="Succeeded", ready=False, labels={})
        self.pods["static"] = pod("static", "w1", mirror=True, labels={})
        self.budget = {"name": "web", "namespace": "lab", "selector": {"matchLabels": {"app": "web"}}, "desired": 3}
        for kind, objects in (
            ("Node", self.nodes.values()),
            ("Pod", self.pods.values()),
            ("PodDisruptionBudget", [self.budget]),
        ):
            self.add(kind, "LIST", objects=[dict(each) for each in objects])

    def add(self, kind: str, type_: str, **more: Any) -> None:
        version = len(self.lines) + 1
        self.lines.append({"time": f"t{version}", "kind": kind, "type": type_, "version": version, **more})

    def change(self, name: str, *changes: Obj) -> Story:
        for each in changes:
            self.nodes[name] |= each
            self.add("Node", "MODIFIED", object=dict(self.nodes[name]))
        return self

    def take(self, *names: str, elsewhere: str = "") -> Story:
        """Evicted, gone, and made anew."""
        for name in names:
            self.add("Pod", "MODIFIED", object=self.pods[name] | {"going": True})
            self.add("Pod", "DELETED", object=self.pods[name] | {"going": True})
            if elsewhere:
                self.pods[name] = pod(name, elsewhere) | {"uid": f"{name}-again"}
                self.add("Pod", "ADDED", object=dict(self.pods[name]))
        return self

    def judged(self, **promise: Any) -> Verdict:
        return judge(self.lines, Promise(**promise))


def node(name: str) -> Obj:
    taints = ["site.example/shift=night:PreferNoSchedule"] if name == "w2" else []
    plane = name.startswith("cp")
    return {
        "name": name, "control_plane": plane, "unschedulable": False, "taints": taints, "begun": False, "ours": False,
        "ready": True, "runtime": DOCKER,
    }  # fmt: skip


def pod(name: str, where: str, **more: Any) -> Obj:
    plain = {"owner": "ReplicaSet", "mirror": False, "phase": "Running", "ready": True, "going": False}
    return {"name": name, "namespace": "lab", "uid": name, "node": where, "labels": {"app": "web"}} | plain | more


def whole() -> Iterator[Story]:
    """A migration as it should be; the held worker has its pod taken too, and stays cordoned."""
    story = Story()
    story.change("w1", {"taints": WAITS}).change("w2", {"taints": [*WAITS, *story.nodes["w2"]["taints"]]})
    story.change("cp1", {"taints": ["cri-switch.io/waiting=m:NoSchedule"]})  # that would be another promise
    story.change("w1", CORDON).take("a", elsewhere="w2")
    story.change("w1", SWITCH, {"taints": []}, UNCORDON)
    story.change("w2", CORDON).take("a", elsewhere="w1").take("b", "c", elsewhere="w1").change("w2", SWITCH, UNCORDON)
    story.take("d", elsewhere="w1").change("w3", SWITCH)
    story.change("cp1", *THROUGH).change("cp2", *THROUGH)
    yield story


def test_a_migration_as_it_should_be() -> None:
    (story,) = whole()
    story.add("Pod", "DELETED", object=story.pods["done"])
    verdict = story.judged()
    assert verdict.broken == []
    assert [turn.node for turn in verdict.turns] == ["w1", "w2", "w3", "cp1", "cp2"] == verdict.switched
    assert all(turn.ended for turn in verdict.turns)
    assert verdict.taken == ["lab/a", "lab/a", "lab/b", "lab/c", "lab/d"]
    assert verdict.most_out == 1
    assert verdict.waited == {"w2"}


@pytest.mark.parametrize("mark", ["begun", "ours"])
def test_a_node_that_a_run_left_is_out_from_the_beginning(mark: str) -> None:
    """It is cordoned by us, half done or after its last step: its return is no breach, and another worker beside it is
    one too many."""
    story = Story()
    begun = story.lines[0]["objects"][2]
    assert begun["name"] == "w1"
    story.nodes["w1"] |= {"unschedulable": True, mark: True}
    begun |= story.nodes["w1"]
    story.take("a", elsewhere="w2").change("w1", SWITCH, UNCORDON | {mark: False})
    assert story.judged().broken == []
    assert [turn.node for turn in story.judged().turns] == ["w1"]
    story.lines.insert(3, {**story.lines[-1], "version": 3, "object": story.nodes["w2"] | CORDON})
    assert story.judged().broken == ["2 workers are out (w1, w2)"]


BREACHES: dict[str, tuple[Story, dict[str, Any], str]] = {
    "two workers": (Story().change("w1", CORDON).change("w2", CORDON), {}, "2 workers are out (w1, w2)"),
    "two workers, as promised": (Story().change("w1", CORDON).change("w2", CORDON), {"max_unavailable": 2}, ""),
    "two control planes": (
        Story().change("w1", *THROUGH).change("w2", *THROUGH).change("w3", SWITCH)
        .change("cp1", CORDON).change("cp2", CORDON),
        {}, "cp2 is cordoned while cp1 is out",
    ),
    "one control plane is not Ready": (
        Story().change("w1", *THROUGH).change("w2", *THROUGH).change("w3", SWITCH)
        .change("cp1", {"ready": False}).change("cp2", CORDON),
        {}, "cp2 is cordoned while cp1 is not Ready",
    ),
    "a control plane too early": (
        Story().change("w1", *THROUGH).change("cp1", CORDON), {}, "cp1 is cordoned before w2, w3"
    ),
    "a control plane after what failed": (
        Story().change("w1", CORDON).take("a", elsewhere="w2").change("w1", SWITCH, UNCORDON)
        .take("d", elsewhere="w2").change("w3", SWITCH).change("cp1", CORDON),
        {"behind": 1}, "",
    ),
    "an administrator's control plane beside another": (
        Story("cp2").change("w1", *THROUGH).change("w2", *THROUGH).change("w3", *THROUGH)
        .change("cp1", CORDON).change("cp2", {"begun": True}),
        {}, "cp2 is begun while cp1 is out",
    ),
    "an administrator's cordon": (Story().change("w3", UNCORDON), {}, "w3 was cordoned by an administrator"),
    "an administrator's taint": (Story().change("w2", {"taints": []}), {}, "w2 had the taints ["),
    "drained uncordoned": (Story().take("a", elsewhere="w2"), {}, "lab/a is taken off w1, which is not cordoned"),
    "a budget": (
        Story().change("w2", CORDON).take("b", "c"), {}, "lab/c is taken away against PodDisruptionBudget web: 2 stay"
    ),
    "no budget": (Story().change("w2", CORDON).take("b"), {}, ""),
    "left alone": (
        Story().change("w2", CORDON), {"left_alone": frozenset({"w2"})}, "w2 is to be left alone, and is cordoned"
    ),
    "switched in service": (Story().change("w1", SWITCH), {}, "while pods may be put on it"),
    "switched with a pod": (Story().change("w1", CORDON, SWITCH), {}, f"w1 changes to {CONTAINERD} with lab/a on it"),
    "uncordoned too early": (
        Story().change("w1", CORDON, {"ready": False}, UNCORDON), {}, "w1 is uncordoned while it is not Ready"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BREACHES)
def test_what_breaks_an_invariant(case: str) -> None:
    story, promise, expected = BREACHES[case]
    said = "\n".join(line for line in story.judged(**promise).broken)
    assert expected in said if expected else not said, said


def test_a_pod_that_went_while_nobody_could_look() -> None:
    story = Story()
    story.add("Pod", "LIST", objects=[dict(each) for name, each in story.pods.items() if name != "a"])
    assert "lab/a is taken off w1, which is not cordoned" in story.judged().broken[0]


def test_kinds_are_put_in_the_order_of_their_versions() -> None:
    story = Story().change("w1", CORDON).take("a", elsewhere="w2")
    story.lines.sort(key=lambda line: str(line["kind"]), reverse=True)  # each kind has a thread of its own
    assert story.judged().broken == []


def test_a_deleted_node() -> None:
    story = Story()
    story.add("Node", "DELETED", object=story.nodes["w1"])
    assert story.judged().broken == ["node w1 is deleted"]
