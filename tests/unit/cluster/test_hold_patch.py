"""What is put on a DaemonSet keeps it off labelled nodes and off no others, and goes again without a trace."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cri_switch.cluster.hold_patch import HOLD, ORIGINAL, held, is_held, merge_patch, put_back
from cri_switch.rehearsal.api_patch import patched
from cri_switch.rehearsal.scheduler import affinity_fits

Obj = dict[str, Any]
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
LABELS = ("zone", "disk")
expressions = st.one_of(
    st.fixed_dictionaries({"key": st.sampled_from(LABELS), "operator": st.sampled_from(["Exists", "DoesNotExist"])}),
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(LABELS),
            "operator": st.sampled_from(["In", "NotIn"]),
            "values": st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2),
        }
    ),
)
terms: st.SearchStrategy[Obj] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"matchExpressions": st.lists(expressions, min_size=1, max_size=2)}),
)
preferred = st.just([{"weight": 1, "preference": {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}}])
node_affinity = st.fixed_dictionaries(
    {},
    optional={
        REQUIRED: st.fixed_dictionaries({"nodeSelectorTerms": st.lists(terms, min_size=1, max_size=3)}),
        "preferredDuringSchedulingIgnoredDuringExecution": preferred,
    },
)
affinities = st.one_of(
    st.none(),
    st.fixed_dictionaries({}, optional={"nodeAffinity": node_affinity, "podAntiAffinity": st.just({})}),
)
strategies = st.sampled_from(
    [
        None,
        {"type": "OnDelete"},
        {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
        {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "30%", "maxSurge": 0}},
    ]
)


@st.composite
def daemonsets(draw: st.DrawFn) -> Obj:
    pod: Obj = {"containers": [{"name": "agent", "image": "agent:1"}]}
    spec: Obj = {"selector": {"matchLabels": {"app": "agent"}}}
    affinity, strategy = draw(affinities), draw(strategies)
    if affinity is not None:
        pod["affinity"] = affinity
    if strategy is not None:
        spec["updateStrategy"] = strategy
    spec["template"] = {"metadata": {"creationTimestamp": None, "labels": {"app": "agent"}}, "spec": pod}
    annotations = {"deprecated.daemonset.template.generation": "1"}
    return {"metadata": {"name": "agent", "namespace": "lab", "annotations": annotations}, "spec": spec}


labels = st.dictionaries(st.sampled_from(LABELS), st.sampled_from(["a", "b"]))


@settings(deadline=None)
@given(daemonsets(), labels)
def test_off_labelled_nodes_and_off_no_others(found: Obj, node: dict[str, str]) -> None:
    before, now = found["spec"]["template"], held(found)["spec"]["template"]
    assert not affinity_fits(now, {**node, HOLD: "m"})
    assert affinity_fits(now, node) == affinity_fits(before, node)


@settings(deadline=None)
@given(daemonsets())
def test_there_and_back_without_a_trace(found: Obj) -> None:
    original = copy.deepcopy(found)
    there = held(found)
    assert found == original  # what was read stays as it was read
    assert there["spec"]["updateStrategy"] == {"type": "OnDelete"}
    assert (is_held(found), is_held(there)) == (False, True)
    assert held(there) == there  # once more changes nothing, and notes nothing of ours as the original
    assert put_back(there) == original
    assert put_back(original) == original


@settings(deadline=None)
@given(daemonsets(), daemonsets())
def test_a_merge_patch_makes_the_one_of_the_other(one: Obj, other: Obj) -> None:
    patch = merge_patch(one, other)
    assert patched(one, patch, "application/merge-patch+json") == other
    assert merge_patch(one, one) == {}


@settings(deadline=None)
@given(daemonsets(), affinities)
def test_what_an_administrator_changes_meanwhile_stays(found: Obj, affinity: Obj | None) -> None:
    there = held(found)
    there["spec"]["template"]["spec"]["containers"][0]["image"] = "agent:2"
    there["spec"]["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    there["spec"]["template"]["spec"].pop("affinity")
    if affinity is not None:
        there["spec"]["template"]["spec"]["affinity"] = affinity
    back = put_back(there)
    assert back["spec"]["template"]["spec"]["containers"][0]["image"] == "agent:2"
    assert back["spec"]["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": 2}
    assert back["spec"]["template"]["spec"].get("affinity") == affinity
    assert ORIGINAL not in back["metadata"]["annotations"]


@settings(deadline=None)
@given(daemonsets(), labels)
def test_held_again_after_an_administrator_put_his_own_back(found: Obj, node: dict[str, str]) -> None:
    there = held(found)
    there["spec"] = copy.deepcopy(found["spec"])  # kubectl replace, our note still on it
    again = held(there)
    assert not affinity_fits(again["spec"]["template"], {**node, HOLD: "m"})
    assert put_back(again) == found


@settings(deadline=None)
@given(daemonsets(), labels, st.sampled_from([None, "", "[]", "nonsense", '{"updateStrategy": null}']))
def test_without_its_note_at_least_the_affinity_goes(found: Obj, node: dict[str, str], note: str | None) -> None:
    there = held(found)
    if note is None:
        del there["metadata"]["annotations"][ORIGINAL]
    else:
        there["metadata"]["annotations"][ORIGINAL] = note
    back = put_back(there)
    assert not is_held(back)
    for more in ({}, {HOLD: "m"}):
        assert affinity_fits(back["spec"]["template"], {**node, **more}) == affinity_fits(
            found["spec"]["template"], {**node, **more}
        )
